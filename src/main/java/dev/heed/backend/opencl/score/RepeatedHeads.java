package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.product.RowKernels;

/** Values with each head repeated for every query head of its group: used if query heads have separate keys. */
final class RepeatedHeads implements LoweredRows {
    private final CallScope scope;
    private final DeviceTensor given;
    private final long group;
    private final DeviceTensor rows;

    RepeatedHeads(CallScope scope, DeviceTensor given, long group) {
        this.scope = scope;
        this.given = given;
        this.group = group;
        long[] sizes = {given.size(0), given.size(1), group, given.size(2), given.size(3)};
        long[] strides = {given.stride(0), given.stride(1), 0, given.stride(2), given.stride(3)};
        DeviceTensor each = scope.allocate(given.type(), sizes);
        scope.copy(new DeviceTensor(given.buffer(), given.type(), given.at(), sizes, strides), each);
        this.rows = each.reshape(given.size(0), given.size(1) * group, given.size(2), given.size(3));
    }

    @Override
    public DeviceTensor rows() {
        return rows;
    }

    @Override
    public DeviceTensor back(DeviceTensor gradient) {
        long heads = given.size(0) * given.size(1);
        long each = given.size(2) * given.size(3);
        return new RowKernels(scope)
                .sum(gradient.reshape(heads, group, 1, each), heads, 1, 1, each)
                .reshape(given.shape());
    }

    @Override
    public void parameters(DeviceTensor gradient, ParameterGradients sums) {}
}
