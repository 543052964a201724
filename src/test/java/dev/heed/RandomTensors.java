package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Random;

/** A generator of random tensors from a seed. */
public final class RandomTensors {
    private final Random random;

    public RandomTensors(long seed) {
        random = new Random(seed);
    }

    /** {@return a tensor of standard normal elements} */
    public Tensor normal(DType type, long... shape) {
        Tensor tensor = Tensor.zeros(type, shape);
        double[] values = new double[Math.toIntExact(tensor.elementCount())];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextGaussian();
        }
        tensor.copyFrom(Tensor.of(values, shape));
        return tensor;
    }

    /** {@return a bool tensor whose elements are true with the given probability} */
    public Tensor truths(double probability, long... shape) {
        boolean[] values =
                new boolean[Math.toIntExact(Tensor.zeros(DType.BOOL, shape).elementCount())];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextDouble() < probability;
        }
        return Tensor.of(values, shape);
    }

    /** {@return the numbers from 0 to {@code n - 1} in random order} */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /** {@return a view with the same elements; around them, its memory has elements with the value {@code gap}} */
    public static Tensor padded(Tensor tensor, double gap) {
        long[] larger = tensor.shape();
        for (int axis = 0; axis < larger.length; axis++) {
            larger[axis] += 2;
        }
        Tensor window = Tensor.zeros(tensor.type(), larger).fill(gap);
        for (int axis = 0; axis < larger.length; axis++) {
            window = window.slice(axis, 1, 1 + tensor.size(axis));
        }
        window.copyFrom(tensor);
        return window;
    }

    /** {@return the largest absolute value} */
    public static double largest(Tensor tensor) {
        double largest = 0;
        for (double value : tensor.toDoubleArray()) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
