package dev.heed.opencl;

/** The kind of processor of a device. The automatic choice prefers the kinds in this order. */
public enum DeviceType {
    /** A graphics processor. */
    GPU,
    /** An accelerator that is neither a GPU nor the host's processor. */
    ACCELERATOR,
    /** The host's processor. */
    CPU,
    /** Any other device. */
    OTHER;

    static DeviceType of(long bits) {
        if ((bits & (1 << 2)) != 0) {
            return GPU;
        }
        if ((bits & (1 << 3)) != 0) {
            return ACCELERATOR;
        }
        return (bits & (1 << 1)) != 0 ? CPU : OTHER;
    }
}
