package dev.heed.ffi;

import java.util.Arrays;
import java.util.List;

/**
 * An instruction set that native kernels are compiled for. Each level is one bit of {@code heed_levels} and {@code heed_refused}.
 */
enum NativeLevel {
    AVX512(1, "AVX-512"),
    AVX512_BF16(2, "AVX512-BF16"),
    AVX512_VNNI(4, "AVX512-VNNI"),
    AMX_BF16(8, "AMX-BF16"),
    NEON(16, "NEON"),
    ARM_BF16(32, "Arm BF16"),
    ARM_I8MM(64, "Arm I8MM");

    final long bit;
    private final String label;

    NativeLevel(long bit, String label) {
        this.bit = bit;
        this.label = label;
    }

    /** Returns the levels whose bits are set. */
    static List<NativeLevel> of(long bits) {
        return Arrays.stream(values()).filter(level -> (bits & level.bit) != 0).toList();
    }

    /** Returns the name shown in reports. */
    String label() {
        return label;
    }
}
