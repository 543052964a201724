package dev.heed.opencl.calls;

import java.lang.foreign.MemorySegment;

/**
 * Every OpenCL call this package makes, on handles that are native pointers as {@code long}. Whatever goes wrong is an
 * {@link OpenClException}. This is the one seam between the layer and the drivers: tests put a layer here that fails at the
 * n-th call.
 *
 * <p>Methods called {@code create...} and those that return an event hand out a handle that the matching {@code release...}
 * gives back. A name says which thing is asked for, by OpenCL's number for it.
 */
public interface OpenClCalls {
    long[] platforms();

    String platformText(long platform, int name);

    /**
     * {@return the devices of a platform}
     *
     * @param types a {@code cl_device_type}; a driver may refuse bits that OpenCL does not define
     */
    long[] devices(long platform, long types);

    byte[] deviceInfo(long device, int name);

    long createContext(long platform, long device);

    void releaseContext(long context);

    long createQueue(long context, long device, boolean profiling);

    void releaseQueue(long queue);

    /** @param host where the bytes lie for {@code CL_MEM_USE_HOST_PTR}, else {@link MemorySegment#NULL} */
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

    /** Waits until the bytes can be read or written by the host. */
    MemorySegment map(long queue, long buffer, long flags, long at, long bytes);

    void unmap(long queue, long buffer, MemorySegment mapped);

    // ---------------------------------------------------------------- once a launch or once a transfer

    /** @param value native memory, or {@link MemorySegment#NULL} for local memory of that many bytes */
    void setArgument(long kernel, int index, long bytes, MemorySegment value);

    /**
     * @param sizes native memory: the global size in each dimension, then the local size
     * @param local whether the local size is given
     * @return an event if wanted, else 0
     */
    long enqueueKernel(long queue, long kernel, int dimensions, MemorySegment sizes, boolean local, boolean wanted);

    /** Reads into native memory; {@return an event if not blocking, else 0} */
    long enqueueRead(long queue, long buffer, long at, long bytes, MemorySegment to, boolean blocking);

    /** Writes from native memory; {@return an event if not blocking, else 0} */
    long enqueueWrite(long queue, long buffer, long at, long bytes, MemorySegment from, boolean blocking);

    void enqueueCopy(long queue, long from, long fromAt, long to, long toAt, long bytes);

    /** {@return an event that is complete when everything before it in the queue is} */
    long enqueueMarker(long queue);

    /** What follows in the queue waits for an event, which may be another queue's. */
    void enqueueBarrier(long queue, long event);

    void flush(long queue);

    void finish(long queue);

    /** {@return 3 queued, 2 submitted, 1 running, 0 complete} An error below zero is thrown. */
    int eventStatus(long event);

    void waitForEvent(long event);

    /** {@return a time of the device's clock in nanoseconds} */
    long eventTime(long event, int name);

    void releaseEvent(long event);
}
