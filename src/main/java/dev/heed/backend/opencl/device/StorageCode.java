package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;

/** The numbers by which kernels know how elements are stored; {@code element.h} pastes them into names. */
public final class StorageCode {
    private StorageCode() {}

    /** {@return the number of a type} */
    public static int of(DType type) {
        return switch (type) {
            case F32 -> 32;
            case F64 -> 64;
            case F16 -> 16;
            case BF16 -> 17;
            default -> throw new IllegalArgumentException(type.label() + " holds no numbers");
        };
    }
}
