package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The rounding of rows to bytes with one scale per row, see {@link Tensor#quantized}. The scale is the largest absolute value
 * divided by 127, or NaN if an element is not finite.
 */
final class ByteRounding {
    private final int width;
    private final int[] bits;
    private final long[] longs;

    /** Creates a rounding of rows of {@code width} numbers of a type. */
    ByteRounding(DType type, int width) {
        this.width = width;
        this.bits = new int[type == DType.F64 ? 0 : width];
        this.longs = new long[type == DType.F64 ? width : 0];
    }

    /** Rounds the row that begins at an index of both arrays, and returns its scale. */
    float round(float[] numbers, int at, byte[] bytes) {
        MemorySegment.copy(MemorySegment.ofArray(numbers), JAVA_INT_UNALIGNED, at * 4L, bits, 0, width);
        float scale = scale(Float.intBitsToFloat(largest(bits, width)));
        if (scale >= Float.MIN_NORMAL) {
            divide(numbers, scale, bytes, at, width);
        } else if (scale > 0) {
            for (int i = at; i < at + width; i++) {
                bytes[i] = round(numbers[i] / (double) scale);
            }
        }
        return scale;
    }

    /** Rounds a row like {@link #round(float[], int, byte[])}. */
    float round(double[] numbers, int at, byte[] bytes) {
        MemorySegment.copy(MemorySegment.ofArray(numbers), JAVA_LONG_UNALIGNED, at * 8L, longs, 0, width);
        float scale = scale(Double.longBitsToDouble(largest(longs, width)));
        if (scale >= Float.MIN_NORMAL) {
            divide(numbers, scale, bytes, at, width);
        } else if (scale > 0) {
            for (int i = at; i < at + width; i++) {
                bytes[i] = round(numbers[i] / scale);
            }
        }
        return scale;
    }

    private static float scale(double largest) {
        return Double.isFinite(largest) ? (float) (largest / 127) : Float.NaN;
    }

    /** Returns the largest bits without the sign. The bits of positive floats are in the order of the floats, with NaN last. */
    private static int largest(int[] bits, int count) {
        int largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, bits[i] & 0x7fffffff);
        }
        return largest;
    }

    private static long largest(long[] bits, int count) {
        long largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, bits[i] & Long.MAX_VALUE);
        }
        return largest;
    }

    private static void divide(double[] numbers, double scale, byte[] bytes, int at, int count) {
        for (int i = at; i < at + count; i++) {
            bytes[i] = (byte) (int) Math.rint(numbers[i] / scale);
        }
    }

    private static void divide(float[] numbers, double scale, byte[] bytes, int at, int count) {
        for (int i = at; i < at + count; i++) {
            bytes[i] = (byte) (int) Math.rint(numbers[i] / scale);
        }
    }

    /** Rounds a quotient that may exceed 127, because a subnormal scale has few digits. */
    private static byte round(double quotient) {
        return (byte) DType.I8.round(Math.clamp(quotient, -127.0, 127.0));
    }
}
