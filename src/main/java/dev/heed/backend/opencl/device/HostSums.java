package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/** The sum of a gradient over several chunks of a backward pass, computed on the host in double and in a fixed order. */
public final class HostSums {
    private final Tensor sums;

    public HostSums(long... shape) {
        this.sums = Tensor.zeros(DType.F64, shape);
    }

    /** {@return all sums; chunks are added to views of this tensor} */
    public Tensor all() {
        return sums;
    }

    /** Adds a result of the device to a view of the sums. */
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
