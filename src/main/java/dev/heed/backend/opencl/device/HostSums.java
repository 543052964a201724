package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/** A tensor of sums over chunks, for example of a gradient, computed on the host in double and in a fixed order. */
public final class HostSums {
    private final Tensor sums;

    public HostSums(long... shape) {
        this.sums = Tensor.zeros(DType.F64, shape);
    }

    /** {@return the tensor of sums; {@link #add} adds chunks to views of it} */
    public Tensor all() {
        return sums;
    }

    /** Adds a result of the device, element-wise, to a view of the sums with the same shape. */
    public static void add(CallScope scope, DeviceTensor computed, Tensor view) {
        Tensor elements = Tensor.zeros(computed.type(), computed.shape());
        scope.read(computed, elements.segment());
        double[] more = elements.toDoubleArray();
        double[] sum = view.toDoubleArray();
        for (int n = 0; n < sum.length; n++) {
            sum[n] += more[n];
        }
        view.copyFrom(Tensor.of(sum, view.shape()));
    }

    public void deliver(CallScope scope, Tensor target) {
        Results.write(scope, sums.to(target.type()), target);
    }
}
