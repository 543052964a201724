package dev.heed.tensor;

/** Tensors on a device that are given back together. Threads may share it. */
public interface DeviceArena extends AutoCloseable {
    /** {@return a packed copy of a tensor on the device} */
    Tensor upload(Tensor tensor);

    /** {@return a tensor on the device whose elements are undefined until something is written to them} */
    Tensor allocate(DType type, long... shape);

    /** Gives the memory of all its tensors back; they are refused from then on. */
    @Override
    void close();
}
