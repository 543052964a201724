package dev.heed.tensor;

/** Conversions between floating-point types that the JDK does not have. */
final class Narrowing {
    private Narrowing() {}

    /**
     * Rounds a double to a float by rounding to odd: an inexact value becomes the neighbouring float whose last bit is set.
     * Rounding this float to a format with at least 13 significant bits fewer gives the same result as rounding the double
     * to that format directly.
     */
    static float toOddFloat(double value) {
        float nearest = (float) value;
        if (nearest == value || Double.isNaN(value) || Double.isInfinite(value)) {
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
