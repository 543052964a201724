package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/** A gradient that several parts of a backward pass add to, in their order, in double. */
public final class HostSums {
    private final Tensor sums;

    public HostSums(long... shape) {
        this.sums = Tensor.zeros(DType.F64, shape);
    }

    /** {@return all sums; views of it are what parts add to} */
    public Tensor all() {
        return sums;
    }

    /** Adds what the device computed to a view of the sums. */
    public static void add(CallScope scope, DeviceTensor computed, Tensor view) {
        Tensor numbers = Tensor.zeros(computed.type(), computed.shape());
        scope.read(computed, numbers.segment());
        double[] more = numbers.toDoubleArray();
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
