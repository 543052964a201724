package dev.heed.tensor;

import java.lang.foreign.MemorySegment;

/** The device memory of a tensor. Kernels access its elements; the host can only read copies of them. */
public interface DeviceMemory {
    /** {@return the name of the device, for messages} */
    String place();

    /** {@return the size in bytes} */
    long byteSize();

    /** {@return whether the memory is still allocated} */
    boolean isAlive();

    /**
     * Copies bytes to host memory, after all earlier computations of the device have finished.
     *
     * @param from the offset of the first byte from the start of this memory, in bytes
     * @param to heap or native memory, whose size is the number of bytes to copy
     */
    void read(long from, MemorySegment to);
}
