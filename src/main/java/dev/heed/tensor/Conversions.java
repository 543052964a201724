package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Conversions of elements between arrays, in forms that the JIT vectorises. It does not vectorise a loop whose first calls had few
 * iterations; therefore few elements have loops of their own. It does not vectorise a loop that changes the width and moves bits
 * between floats and integers; therefore bf16 passes through an array of bits.
 */
final class Conversions {
    private static final int FEW = 32;

    private Conversions() {}

    static void halvesToFloats(short[] from, int first, float[] into, int at, int count) {
        if (count > FEW) {
            manyHalvesToFloats(from, first, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = Float.float16ToFloat(from[first + i]);
        }
    }

    private static void manyHalvesToFloats(short[] from, int first, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = Float.float16ToFloat(from[first + i]);
        }
    }

    static void floatsToHalves(float[] from, int first, short[] into, int at, int count) {
        if (count > FEW) {
            manyFloatsToHalves(from, first, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = Float.floatToFloat16(from[first + i]);
        }
    }

    private static void manyFloatsToHalves(float[] from, int first, short[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = Float.floatToFloat16(from[first + i]);
        }
    }

    static void bfloatsToFloats(short[] from, int first, int[] bits, float[] into, int at, int count) {
        if (count <= FEW) {
            for (int i = 0; i < count; i++) {
                into[at + i] = Narrowing.bfloat16ToFloat(from[first + i]);
            }
            return;
        }
        widen(from, first, bits, count);
        shift(bits, count);
        MemorySegment.copy(bits, 0, MemorySegment.ofArray(into), JAVA_INT_UNALIGNED, at * 4L, count);
    }

    private static void widen(short[] from, int first, int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            bits[i] = from[first + i];
        }
    }

    private static void shift(int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            bits[i] <<= 16;
        }
    }

    static void floatsToBfloats(float[] from, int first, int[] bits, short[] into, int at, int count) {
        if (count <= FEW) {
            for (int i = 0; i < count; i++) {
                into[at + i] = Narrowing.floatToBfloat16(from[first + i]);
            }
            return;
        }
        MemorySegment.copy(MemorySegment.ofArray(from), JAVA_INT_UNALIGNED, first * 4L, bits, 0, count);
        round(bits, count);
        narrow(bits, into, at, count);
    }

    /** Rounds the bits of floats as {@link Narrowing#floatToBfloat16} does, without branches. */
    private static void round(int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            int x = bits[i];
            int nan = 0x7f800000 - (x & 0x7fffffff) >> 31; // all ones for a NaN, otherwise 0
            int rounded = x + 0x7fff + (x >>> 16 & 1) >> 16;
            bits[i] = rounded & ~nan | (x >> 16 | 0x40) & nan;
        }
    }

    private static void narrow(int[] bits, short[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = (short) bits[i];
        }
    }

    static void bytesToFloats(byte[] from, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = from[i];
        }
    }

    /** Multiplies elements in place: the JIT does not vectorise a loop that reads one array of floats and writes another. */
    static void multiply(float[] numbers, int from, int to, float factor) {
        for (int i = from; i < to; i++) {
            numbers[i] *= factor;
        }
    }

    static void floatsToDoubles(float[] from, int first, double[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i];
        }
    }
}
