package dev.heed.conformance;

import dev.heed.tensor.DType;

/**
 * The allowed difference between a computed and an expected element: {@code absolute + relative |expected|}.
 *
 * @param relative the part that grows with the expected element
 * @param absolute the constant part
 */
record Tolerance(double relative, double absolute) {
    /** The tolerance of outputs that are copied rather than computed. */
    static final Tolerance EXACT = new Tolerance(0, 0);

    /**
     * {@return the tolerance of an element type for published data; the largest errors found when the data were
     * recomputed are 3e-8 in f32 and 2.5e-4 in f16}
     */
    static Tolerance of(DType type) {
        return switch (type) {
            case F64 -> new Tolerance(1e-7, 1e-9);
            case F32 -> new Tolerance(1e-5, 1e-6);
            case F16 -> new Tolerance(2e-3, 2e-3);
            case BF16 -> new Tolerance(0x1p-7, 2e-3); // the unit in the last place of 1
            case I64, I32, I8, BOOL -> EXACT;
        };
    }

    boolean allows(double expected, double actual) {
        if (Double.isNaN(expected) || Double.isInfinite(expected)) {
            return Double.compare(expected, actual) == 0;
        }
        return Math.abs(expected - actual) <= absolute + relative * Math.abs(expected);
    }
}
