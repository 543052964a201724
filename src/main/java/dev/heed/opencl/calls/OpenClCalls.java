package dev.heed.opencl.calls;

import java.lang.foreign.MemorySegment;

/**
 * The OpenCL calls of the host layer. Handles are native pointers, as {@code long}. Every call that fails throws an
 * {@link OpenClException}. Once the OpenCL library is found, the host layer calls drivers only through this interface, so tests
 * can substitute an implementation that fails at the n-th call.
 *
 * <p>Methods named {@code create...} and methods that return an event return a handle, which the matching {@code release...}
 * method releases. An {@code int} parameter {@code name} is OpenCL's code of the queried value. An offset {@code at} is in
 * bytes.
 */
public interface OpenClCalls {
    long[] platforms();

    String platformText(long platform, int name);

    /**
     * {@return the devices of a platform}
     *
     * @param types a {@code cl_device_type}; a driver may reject bits that OpenCL does not define
     */
    long[] devices(long platform, long types);

    byte[] deviceInfo(long device, int name);

    long createContext(long platform, long device);

    void releaseContext(long context);

    long createQueue(long context, long device, boolean profiling);

    void releaseQueue(long queue);

    /** @param host the memory for {@code CL_MEM_USE_HOST_PTR}, else {@link MemorySegment#NULL} */
    long createBuffer(long context, long flags, long bytes, MemorySegment host);

    long createSubBuffer(long buffer, long origin, long bytes);

    void releaseBuffer(long buffer);

    long createProgram(long context, String source);

    long createProgram(long context, long device, byte[] binary);

    void buildProgram(long program, long device, String options);

    String buildLog(long program, long device);

    byte[] programBinary(long program);

    void releaseProgram(long program);

    long createKernel(long program, String name);

    int argumentCount(long kernel);

    long workGroupInfo(long kernel, long device, int name);

    void releaseKernel(long kernel);

    /** Maps a range of a buffer into host memory; waits until the host can access the bytes as {@code flags} request. */
    MemorySegment map(long queue, long buffer, long flags, long at, long bytes);

    void unmap(long queue, long buffer, MemorySegment mapped);

    // ---------------------------------------------------------------- calls per launch or transfer

    /** @param value native memory, or {@link MemorySegment#NULL} for {@code bytes} bytes of local memory */
    void setArgument(long kernel, int index, long bytes, MemorySegment value);

    /**
     * @param sizes native memory: the global size in each dimension, then the local size
     * @param local whether {@code sizes} contains the local size
     * @return an event if {@code wanted}, else 0
     */
    long enqueueKernel(long queue, long kernel, int dimensions, MemorySegment sizes, boolean local, boolean wanted);

    /** {@return an event if not {@code blocking}, else 0} Reads bytes of a buffer into native memory. */
    long enqueueRead(long queue, long buffer, long at, long bytes, MemorySegment to, boolean blocking);

    /** {@return an event if not {@code blocking}, else 0} Writes native memory to bytes of a buffer. */
    long enqueueWrite(long queue, long buffer, long at, long bytes, MemorySegment from, boolean blocking);

    void enqueueCopy(long queue, long from, long fromAt, long to, long toAt, long bytes);

    /** {@return an event that is complete when all earlier commands of the queue are complete} */
    long enqueueMarker(long queue);

    /** Makes all later commands of the queue wait for an event, which may be from another queue. */
    void enqueueBarrier(long queue, long event);

    void flush(long queue);

    void finish(long queue);

    /** {@return 3 if queued, 2 if submitted, 1 if running, 0 if complete, or an error code below zero} */
    int eventStatus(long event);

    void waitForEvent(long event);

    /** {@return a time of an event, for example its start, by the device's clock in nanoseconds} */
    long eventTime(long event, int name);

    void releaseEvent(long event);
}
