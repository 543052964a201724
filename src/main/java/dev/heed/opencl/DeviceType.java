package dev.heed.opencl;

/** What kind of processor a device is, in the order in which the automatic choice prefers them. */
public enum DeviceType {
    /** A graphics processor. */
    GPU,
    /** Another processor beside the host's. */
    ACCELERATOR,
    /** The host's own cores. */
    CPU,
    /** Something else. */
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
