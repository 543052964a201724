package dev.heed.opencl;

/** Opens contexts with limited memory, for tests. */
public final class Contexts {
    private Contexts() {}

    /** {@return a context that uses at most {@code bytes} bytes, as if the device had no more memory} */
    public static DeviceContext limited(Device device, long bytes) {
        return new DeviceContext(device, ContextSettings.ofProperties(device).withMemory(bytes));
    }
}
