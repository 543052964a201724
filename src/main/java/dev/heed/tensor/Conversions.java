package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Conversions of elements between arrays, in forms that the JIT vectorises. It does not vectorise a loop whose first calls had few
 * iterations; therefore few elements have loops of their own. It does not vectorise a loop that changes the width and moves bits
 * between floats and integers; therefore bf16 passes through arrays of bits.
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

    /** Widens bf16 in pairs: the JIT vectorises a loop from integers to long integers. */
    static void bfloatsToFloats(short[] from, int first, int[] pairs, long[] wide, float[] into, int at, int count) {
        int many = count > FEW ? count / 2 : 0;
        if (many > 0) {
            MemorySegment.copy(MemorySegment.ofArray(from), JAVA_INT_UNALIGNED, first * 2L, pairs, 0, many);
            widen(pairs, wide, many);
            MemorySegment.copy(wide, 0, MemorySegment.ofArray(into), JAVA_LONG_UNALIGNED, at * 4L, many);
        }
        for (int i = 2 * many; i < count; i++) {
            into[at + i] = Narrowing.bfloat16ToFloat(from[first + i]);
        }
    }

    private static void widen(int[] pairs, long[] wide, int count) {
        for (int i = 0; i < count; i++) {
            long pair = pairs[i];
            wide[i] = (pair & 0xffff0000L) << 32 | (pair & 0xffffL) << 16;
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

    static void bytesToFloats(byte[] from, int first, float scale, float[] into, int at, int count) {
        if (count > FEW) {
            manyBytesToFloats(from, first, scale, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i] * scale;
        }
    }

    private static void manyBytesToFloats(byte[] from, int first, float scale, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i] * scale;
        }
    }

    static void bytesToDoubles(byte[] from, int first, double scale, double[] into, int at, int count) {
        if (count > FEW) {
            manyBytesToDoubles(from, first, scale, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i] * scale;
        }
    }

    private static void manyBytesToDoubles(byte[] from, int first, double scale, double[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i] * scale;
        }
    }

    static void floatsToDoubles(float[] from, int first, double[] into, int at, int count) {
        if (count > FEW) {
            manyFloatsToDoubles(from, first, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i];
        }
    }

    private static void manyFloatsToDoubles(float[] from, int first, double[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = from[first + i];
        }
    }

    static void doublesToFloats(double[] from, int first, float[] into, int at, int count) {
        if (count > FEW) {
            manyDoublesToFloats(from, first, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = (float) from[first + i];
        }
    }

    private static void manyDoublesToFloats(double[] from, int first, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = (float) from[first + i];
        }
    }

    static void doublesToOddFloats(double[] from, int first, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = Narrowing.toOddFloat(from[first + i]);
        }
    }
}
