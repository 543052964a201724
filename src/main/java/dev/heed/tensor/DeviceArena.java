package dev.heed.tensor;

/**
 * An allocator of tensors on a device. Closing the arena frees the memory of all its tensors. Threads may share an arena.
 */
public interface DeviceArena extends AutoCloseable {
    /** {@return a contiguous copy of a tensor in device memory} */
    Tensor upload(Tensor tensor);

    /** {@return a tensor in device memory whose elements are undefined until they are written} */
    Tensor allocate(DType type, long... shape);

    /** Frees the memory of all tensors of the arena. Later calls with these tensors are rejected. */
    @Override
    void close();
}
