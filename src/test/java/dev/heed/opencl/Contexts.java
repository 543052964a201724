package dev.heed.opencl;

/** Opens contexts with settings for tests. */
public final class Contexts {
    private Contexts() {}

    /** {@return a context with {@code bytes} bytes of memory, as if the device had no more} */
    public static DeviceContext limited(Device device, long bytes) {
        return new DeviceContext(device, ContextSettings.ofProperties(device).withMemory(bytes));
    }
}
