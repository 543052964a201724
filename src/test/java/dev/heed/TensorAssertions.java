package dev.heed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/** Assertions about tensors and about the error messages for invalid inputs. */
public final class TensorAssertions {
    private TensorAssertions() {}

    /** Asserts equal shapes and elements that differ by at most the tolerance. NaN equals NaN, an infinity equals itself. */
    public static void assertClose(Tensor expected, Tensor actual, double tolerance) {
        assertArrayEquals(expected.shape(), actual.shape(), "shape");
        double[] right = expected.toDoubleArray();
        double[] ours = actual.toDoubleArray();
        for (int i = 0; i < right.length; i++) {
            boolean same = Double.compare(right[i], ours[i]) == 0;
            if (!same && !(Math.abs(right[i] - ours[i]) <= tolerance)) {
                fail("element " + i + " of " + actual + ": expected " + right[i] + " got " + ours[i] + ", tolerance "
                        + tolerance);
            }
        }
    }

    /** Asserts the same type, shape and bits. A NaN equals every NaN, and null equals only null. */
    public static void assertSameBits(@Nullable Tensor expected, @Nullable Tensor actual) {
        if (expected == null || actual == null) {
            assertEquals(expected == null, actual == null, "one is null");
            return;
        }
        assertEquals(expected.type(), actual.type());
        assertArrayEquals(expected.shape(), actual.shape(), "shape");
        assertArrayEquals(expected.toDoubleArray(), actual.toDoubleArray(), actual::toString);
    }

    /** Asserts that all tensors of two results have the same bits. */
    public static void assertSameBits(AttentionResult expected, AttentionResult actual) {
        for (int i = 0; i < expected.tensors().size(); i++) {
            assertSameBits(expected.tensors().get(i), actual.tensors().get(i));
        }
    }

    /** Asserts that all tensors of two sets of gradients have the same bits. */
    public static void assertSameBits(AttentionGradients expected, AttentionGradients actual) {
        for (int i = 0; i < expected.tensors().size(); i++) {
            assertSameBits(expected.tensors().get(i), actual.tensors().get(i));
        }
    }

    /** Asserts that every element is {@code expected}; 0.0 equals -0.0. */
    public static void assertAll(double expected, @Nullable Tensor actual) {
        Assertions.assertNotNull(actual);
        double[] values = actual.toDoubleArray();
        for (int i = 0; i < values.length; i++) {
            assertEquals(expected + 0.0, values[i] + 0.0, "element " + i + " of " + actual);
        }
    }

    /** Asserts that no element is NaN or infinite. */
    public static void assertFinite(Tensor actual) {
        double[] values = actual.toDoubleArray();
        Assertions.assertTrue(
                Arrays.stream(values).allMatch(Double::isFinite), () -> actual + " " + Arrays.toString(values));
    }

    /**
     * Asserts that a call throws an {@link InvalidInputException} whose message has the lines "expected", "got" and HINT.
     *
     * @param caseString text that the message must also contain, usually a case string; null if there is no problem yet
     */
    public static InvalidInputException assertRefused(@Nullable Object caseString, Executable call) {
        var refusal = Assertions.assertThrowsExactly(InvalidInputException.class, call);
        String text = refusal.getMessage();
        for (String part : new String[] {"\n  expected  ", "\n  got       ", "\nHINT: "}) {
            Assertions.assertTrue(text.contains(part), () -> "no" + part + " in: " + text);
        }
        if (caseString != null) {
            Assertions.assertTrue(text.contains(caseString.toString()), () -> "no case string in: " + text);
        }
        return refusal;
    }
}
