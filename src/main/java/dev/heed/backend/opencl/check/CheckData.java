package dev.heed.backend.opencl.check;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Results;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;

/** The data of the self-checks: creates random inputs, and reads results of the device. */
final class CheckData {
    private CheckData() {}

    /** {@return the elements of a device tensor} */
    static double[] read(CallScope scope, Arena arena, DeviceTensor tensor) {
        Tensor there = Tensor.allocate(arena, tensor.type(), tensor.shape());
        Results.read(scope, tensor, there);
        return there.toDoubleArray();
    }

    /** {@return a tensor of normally distributed elements times a factor, rounded to a type} */
    static Tensor elements(Random random, DType type, double factor, long... shape) {
        float[] elements = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) (factor * random.nextGaussian());
        }
        return Tensor.of(elements, shape).to(type);
    }
}
