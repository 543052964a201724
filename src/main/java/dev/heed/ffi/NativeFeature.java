package dev.heed.ffi;

/**
 * A group of native kernels that use processor instructions unavailable in Java. Each group is one bit of {@code heed_features}.
 */
public enum NativeFeature {
    /** Products of bf16 tiles: AMX-BF16, AVX512-BF16, Arm BF16. */
    BF16_PRODUCT(1, "bf16 products"),
    /** Scores of bf16 keys and weighted sums of bf16 values, for a few queries: AVX512-BF16, Arm BF16. */
    BF16_ROWS(2, "bf16 rows"),
    /** Scores of f16 keys and weighted sums of f16 values, for a few queries: AVX-512, NEON. */
    F16_ROWS(4, "f16 rows"),
    /** Scores of int8 keys and weighted sums of int8 values, for a few queries: AVX512-VNNI, Arm I8MM. */
    I8_ROWS(8, "i8 rows"),
    /** Conversions of arrays between element types: AVX-512, NEON. */
    WIDTHS(16, "widths");

    final long bit;
    private final String label;

    NativeFeature(long bit, String label) {
        this.bit = bit;
        this.label = label;
    }

    /** {@return the name shown in reports} */
    public String label() {
        return label;
    }
}
