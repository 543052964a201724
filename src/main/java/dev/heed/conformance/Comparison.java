package dev.heed.conformance;

import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A comparison of expected and computed outputs of a case: the largest error, and the first output that fails. */
final class Comparison {
    private double maxError;
    private @Nullable String failure;

    /** Compares one output; the types and the shapes must be equal. */
    void add(String output, Tensor expected, Tensor actual, Tolerance tolerance) {
        if (expected.type() != actual.type() || !Arrays.equals(expected.shape(), actual.shape())) {
            fail("expected " + kind(expected) + " got " + kind(actual) + " as " + output);
            return;
        }
        double[] wanted = expected.toDoubleArray();
        double[] got = actual.toDoubleArray();
        int worst = -1;
        double worstError = -1;
        int wrong = 0;
        for (int i = 0; i < wanted.length; i++) {
            double error = error(wanted[i], got[i]);
            maxError = Math.max(maxError, error);
            if (!tolerance.allows(wanted[i], got[i])) {
                wrong++;
                if (error > worstError) {
                    worst = i;
                    worstError = error;
                }
            }
        }
        if (wrong > 0) {
            fail(String.format(
                    Locale.ROOT,
                    "expected %s got %s at %s of %s (error %.1e, %d of %d elements differ)",
                    wanted[worst],
                    got[worst],
                    Arrays.toString(index(worst, expected.shape())),
                    output,
                    worstError,
                    wrong,
                    wanted.length));
        }
    }

    /** Records that the case fails, unless an earlier failure is already recorded. */
    void fail(String reason) {
        failure = failure == null ? reason : failure;
    }

    Outcome outcome(String name) {
        return failure == null ? Outcome.pass(name, maxError) : Outcome.fail(name, maxError, failure);
    }

    /** {@return the absolute difference; infinite if either is NaN or infinite and the two are not equal} */
    private static double error(double wanted, double got) {
        if (Double.compare(wanted, got) == 0) {
            return 0;
        }
        double error = Math.abs(wanted - got);
        return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
    }

    private static String kind(Tensor tensor) {
        return tensor.type().label() + Arrays.toString(tensor.shape());
    }

    private static long[] index(long position, long[] shape) {
        long[] index = new long[shape.length];
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            index[axis] = position % shape[axis];
            position /= shape[axis];
        }
        return index;
    }
}
