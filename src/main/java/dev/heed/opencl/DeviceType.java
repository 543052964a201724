package dev.heed.opencl;

/** The kind of processor of a device, in the order in which the automatic choice prefers them. */
public enum DeviceType {
    /** A graphics processor. */
    GPU,
    /** A processor that is neither a GPU nor the host's. */
    ACCELERATOR,
    /** The host's own cores. */
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
