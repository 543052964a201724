package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.product.RowKernels;

/** The columns of a parameter matrix, used as keys: a location-based score is the dot product of a query with a column. */
final class ColumnsAsKeys implements LoweredRows {
    private final CallScope scope;
    private final DeviceTensor given;
    private final ParameterSlice columns;
    private final boolean perHead;
    private final DeviceTensor rows;

    /**
     * Uses columns as keys.
     *
     * @param given the caller's keys, {@code [batch, key/value heads, keys, headDim]}; only the shape is used
     * @param columns {@code [headDim, keys]} or {@code [query heads, headDim, keys]}
     */
    ColumnsAsKeys(CallScope scope, DeviceTensor given, ParameterSlice columns) {
        this.scope = scope;
        this.given = given;
        this.columns = columns;
        DeviceTensor matrix = columns.upload(scope, scope.real());
        int rank = matrix.shape().length;
        this.perHead = rank == 3;
        long heads = perHead ? matrix.size(0) : 1;
        long keys = matrix.size(rank - 1);
        long in = matrix.size(rank - 2);
        DeviceTensor transposed = scope.allocate(scope.real(), heads, keys, in);
        scope.copy(transposed(matrix, heads), transposed);
        this.rows = new DeviceTensor(
                transposed.buffer(),
                transposed.type(),
                transposed.at(),
                new long[] {given.size(0), perHead ? heads : given.size(1), keys, in},
                new long[] {0, perHead ? keys * in : 0, in, 1});
    }

    /** {@return {@code [heads, in, keys]} as {@code [heads, keys, in]}, or vice versa} */
    private static DeviceTensor transposed(DeviceTensor matrix, long heads) {
        int rank = matrix.shape().length;
        return new DeviceTensor(
                matrix.buffer(),
                matrix.type(),
                matrix.at(),
                new long[] {heads, matrix.size(rank - 1), matrix.size(rank - 2)},
                new long[] {rank == 3 ? matrix.stride(0) : 0, matrix.stride(rank - 1), matrix.stride(rank - 2)});
    }

    @Override
    public DeviceTensor rows() {
        return rows;
    }

    @Override
    public DeviceTensor back(DeviceTensor gradient) {
        DeviceTensor zeros = scope.allocate(scope.real(), given.shape());
        scope.fillZeros(zeros);
        return zeros;
    }

    @Override
    public void parameters(DeviceTensor gradient, ParameterGradients sums) {
        long heads = perHead ? gradient.size(1) : 1;
        long keys = gradient.size(2);
        long in = gradient.size(3);
        DeviceTensor flat = gradient.reshape(gradient.size(0), gradient.size(1), 1, keys * in);
        DeviceTensor sum =
                new RowKernels(scope).sum(flat, 1, heads, 1, keys * in).reshape(heads, keys, in);
        DeviceTensor to = scope.allocate(scope.real(), heads, in, keys);
        scope.copy(transposed(sum, heads), to);
        sums.add(scope, columns, perHead ? to : to.reshape(in, keys));
    }
}
