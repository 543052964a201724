package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;

/** The codes of storage types in kernels; {@code element.h} pastes them into names of macros and functions. */
public final class StorageCode {
    private StorageCode() {}

    /** {@return the code of a type} */
    public static int of(DType type) {
        return switch (type) {
            case F32 -> 32;
            case F64 -> 64;
            case F16 -> 16;
            case BF16 -> 17;
            default -> throw new IllegalArgumentException(type.label() + " has no storage code");
        };
    }
}
