package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.Placed;
import dev.heed.backend.opencl.device.Work;
import dev.heed.backend.opencl.product.RowKernels;

/** The columns of a matrix in the place of keys: what is left of a location-based score is a dot product with them. */
final class ColumnsAsKeys implements LoweredRows {
    private final Work work;
    private final Placed given;
    private final ParameterPart columns;
    private final boolean perHead;
    private final Placed rows;

    /**
     * Takes columns for keys.
     *
     * @param given the keys, {@code [batch, key heads, keys, width]}, which are not read
     * @param columns {@code [in, keys]} or {@code [query heads, in, keys]}
     */
    ColumnsAsKeys(Work work, Placed given, ParameterPart columns) {
        this.work = work;
        this.given = given;
        this.columns = columns;
        Placed matrix = columns.upload(work, work.real());
        int rank = matrix.shape().length;
        this.perHead = rank == 3;
        long heads = perHead ? matrix.size(0) : 1;
        long keys = matrix.size(rank - 1);
        long in = matrix.size(rank - 2);
        Placed turned = work.place(work.real(), heads, keys, in);
        work.copy(turned(matrix, heads), turned);
        this.rows = new Placed(
                turned.buffer(),
                turned.type(),
                turned.at(),
                new long[] {given.size(0), perHead ? heads : given.size(1), keys, in},
                new long[] {0, perHead ? keys * in : 0, in, 1});
    }

    /** {@return {@code [heads, in, keys]} as {@code [heads, keys, in]}, or the other way round} */
    private static Placed turned(Placed matrix, long heads) {
        int rank = matrix.shape().length;
        return new Placed(
                matrix.buffer(),
                matrix.type(),
                matrix.at(),
                new long[] {heads, matrix.size(rank - 1), matrix.size(rank - 2)},
                new long[] {rank == 3 ? matrix.stride(0) : 0, matrix.stride(rank - 1), matrix.stride(rank - 2)});
    }

    @Override
    public Placed rows() {
        return rows;
    }

    @Override
    public Placed back(Placed gradient) {
        Placed zeros = work.place(work.real(), given.shape());
        work.fillZeros(zeros);
        return zeros;
    }

    @Override
    public void parameters(Placed gradient, ParameterSums sums) {
        long heads = perHead ? gradient.size(1) : 1;
        long keys = gradient.size(2);
        long in = gradient.size(3);
        Placed flat = gradient.reshape(gradient.size(0), gradient.size(1), 1, keys * in);
        Placed sum = new RowKernels(work).sum(flat, 1, heads, 1, keys * in).reshape(heads, keys, in);
        Placed to = work.place(work.real(), heads, in, keys);
        work.copy(turned(sum, heads), to);
        sums.add(work, columns, perHead ? to : to.reshape(in, keys));
    }
}
