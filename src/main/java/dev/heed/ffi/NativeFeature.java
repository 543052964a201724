package dev.heed.ffi;

/** What the native kernels do with instructions of this processor that Java cannot say; bits of {@code heed_features}. */
public enum NativeFeature {
    /** Products of bf16 tiles: AMX-BF16, AVX512-BF16, Arm BF16. */
    BF16_PRODUCT(1, "bf16 products"),
    /** bf16 keys and values for few queries: AVX512-BF16, Arm BF16. */
    BF16_ROWS(2, "bf16 rows"),
    /** f16 keys and values for few queries: AVX-512, NEON. */
    F16_ROWS(4, "f16 rows"),
    /** Keys and values of bytes for few queries: AVX512-VNNI, Arm I8MM. */
    I8_ROWS(8, "i8 rows"),
    /** Arrays from one width to another: AVX-512, NEON. */
    WIDTHS(16, "widths");

    final long bit;
    private final String label;

    NativeFeature(long bit, String label) {
        this.bit = bit;
        this.label = label;
    }

    /** {@return the name in reports} */
    public String label() {
        return label;
    }
}
