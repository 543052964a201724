package dev.heed.tensor;

import java.lang.foreign.MemorySegment;

/** Memory of a device, behind a tensor: kernels reach its elements, the host only copies of them. */
public interface DeviceMemory {
    /** {@return where it lies, for messages} */
    String place();

    /** {@return its size} */
    long byteSize();

    /** {@return whether it has not been given back} */
    boolean isAlive();

    /**
     * Copies bytes into memory of the host, after all that was computed before.
     *
     * @param from the first byte
     * @param to host memory of any kind, as many bytes as are wanted
     */
    void read(long from, MemorySegment to);
}
