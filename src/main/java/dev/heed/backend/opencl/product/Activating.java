package dev.heed.backend.opencl.product;

import dev.heed.LinearProblem;
import dev.heed.backend.opencl.device.Placed;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.backend.opencl.device.Work;
import dev.heed.opencl.WorkSize;

/** What a linear layer does to every element of its product, and the way back. */
public final class Activating {
    private Activating() {}

    private static String options(LinearProblem problem, Work work) {
        return "-DSTORAGE=" + StorageCode.of(problem.type()) + work.widths() + " -DACTIVATION="
                + switch (problem.activation()) {
                    case IDENTITY -> 0;
                    case RELU -> 1;
                    case GELU -> 2;
                    case TANH -> 3;
                };
    }

    /** {@return the outputs of products, in the problem's type} */
    public static Placed activate(LinearProblem problem, Work work, Placed z) {
        Placed y = work.place(problem.type(), z.shape());
        var size = WorkSize.covering(z.count(), work.group());
        work.launch("activation", options(problem, work), "activate", size, z.buffer(), y.buffer(), z.count());
        return y;
    }

    /** {@return the gradients of products, from those of the outputs} */
    public static Placed flowBack(LinearProblem problem, Work work, Placed z, Placed dy) {
        Placed dz = work.place(work.real(), z.shape());
        var size = WorkSize.covering(z.count(), work.group());
        work.launch(
                "activation",
                options(problem, work),
                "flow_back",
                size,
                z.buffer(),
                dy.buffer(),
                dz.buffer(),
                z.count());
        return dz;
    }
}
