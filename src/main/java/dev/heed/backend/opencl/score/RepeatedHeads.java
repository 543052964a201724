package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.Placed;
import dev.heed.backend.opencl.device.Work;
import dev.heed.backend.opencl.product.RowKernels;

/** The heads of keys or values once for each query head that reads them, where a parameter makes keys of every query head. */
final class RepeatedHeads implements LoweredRows {
    private final Work work;
    private final Placed given;
    private final long group;
    private final Placed rows;

    RepeatedHeads(Work work, Placed given, long group) {
        this.work = work;
        this.given = given;
        this.group = group;
        long[] sizes = {given.size(0), given.size(1), group, given.size(2), given.size(3)};
        long[] strides = {given.stride(0), given.stride(1), 0, given.stride(2), given.stride(3)};
        Placed each = work.place(given.type(), sizes);
        work.copy(new Placed(given.buffer(), given.type(), given.at(), sizes, strides), each);
        this.rows = each.reshape(given.size(0), given.size(1) * group, given.size(2), given.size(3));
    }

    @Override
    public Placed rows() {
        return rows;
    }

    @Override
    public Placed back(Placed gradient) {
        long heads = given.size(0) * given.size(1);
        long each = given.size(2) * given.size(3);
        return new RowKernels(work)
                .sum(gradient.reshape(heads, group, 1, each), heads, 1, 1, each)
                .reshape(given.shape());
    }

    @Override
    public void parameters(Placed gradient, ParameterSums sums) {}
}
