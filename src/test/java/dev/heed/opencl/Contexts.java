package dev.heed.opencl;

/** Contexts that a device does not open by itself, for tests of what is built on them. */
public final class Contexts {
    private Contexts() {}

    /** A context that may use so many bytes, as if the device had no more. */
    public static DeviceContext limited(Device device, long bytes) {
        return new DeviceContext(device, ContextSettings.ofProperties(device).withMemory(bytes));
    }
}
