package dev.heed.backend.opencl.product;

import dev.heed.LinearProblem;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.opencl.WorkSize;

/** The element-wise activation of a linear layer on the device, forward and backward. */
public final class Activating {
    private Activating() {}

    private static String options(LinearProblem problem, CallScope scope) {
        return "-DSTORAGE=" + StorageCode.of(problem.type()) + scope.realOption() + " -DACTIVATION="
                + switch (problem.activation()) {
                    case IDENTITY -> 0;
                    case RELU -> 1;
                    case GELU -> 2;
                    case TANH -> 3;
                };
    }

    /** {@return the outputs of a layer, in the problem's type, from its pre-activations {@code z}} */
    public static DeviceTensor activate(LinearProblem problem, CallScope scope, DeviceTensor z) {
        DeviceTensor y = scope.allocate(problem.type(), z.shape());
        var size = WorkSize.covering(z.count(), scope.group());
        scope.launch("activation", options(problem, scope), "activate", size, z.buffer(), y.buffer(), z.count());
        return y;
    }

    /** {@return the gradients of the pre-activations {@code z}, in the compute type, from the gradients of the outputs} */
    public static DeviceTensor propagate(LinearProblem problem, CallScope scope, DeviceTensor z, DeviceTensor dy) {
        DeviceTensor dz = scope.allocate(scope.real(), z.shape());
        var size = WorkSize.covering(z.count(), scope.group());
        scope.launch(
                "activation",
                options(problem, scope),
                "activation_backward",
                size,
                z.buffer(),
                dy.buffer(),
                dz.buffer(),
                z.count());
        return dz;
    }
}
