package dev.heed.tensor;

/** Conversions between floating-point types that the JDK does not have. */
final class Narrowing {
    /** The bits of the smallest normal f32 as a double. */
    private static final long SMALLEST = Double.doubleToRawLongBits(Float.MIN_NORMAL);

    /** The bits of 2^128, which is beyond f32, as a double. */
    private static final long LARGEST = Double.doubleToRawLongBits(0x1p128);

    /** The bits of a double that a normal f32 does not have. */
    private static final long LOST = (1L << 29) - 1;

    private Narrowing() {}

    /**
     * Rounds a double to a float by rounding to odd: an inexact value becomes the neighbouring float whose last bit is set.
     * Rounding this float to a format with at least 13 significant bits fewer gives the same result as rounding the double
     * to that format directly.
     */
    static float toOddFloat(double value) {
        long bits = Double.doubleToRawLongBits(value);
        long magnitude = bits & Long.MAX_VALUE;
        if (magnitude >= SMALLEST && magnitude < LARGEST) {
            long odd = bits | (bits & LOST) + LOST & LOST + 1; // a bit that f32 loses sets the last bit that it keeps
            return (float) Double.longBitsToDouble(odd & ~LOST);
        }
        float nearest = (float) value;
        if (nearest == value || Double.isNaN(value)) {
            return nearest;
        }
        if (Float.isInfinite(nearest)) {
            return Math.copySign(Float.MAX_VALUE, nearest);
        }
        float towardsZero = Math.abs((double) nearest) > Math.abs(value) ? Math.nextAfter(nearest, 0.0) : nearest;
        float odd = Float.intBitsToFloat(Float.floatToRawIntBits(towardsZero) | 1);
        return towardsZero == 0 ? Math.copySign(Float.MIN_VALUE, (float) Math.signum(value)) : odd;
    }

    static float bfloat16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    static short floatToBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short)
                    (bits >>> 16 | 0x40); // the set bit keeps the value a NaN if its payload is only in the lower half
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
