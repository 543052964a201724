package dev.heed.opencl.calls;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.heed.ffi.OpenClLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * OpenCL calls that bypass JOCL for launches and transfers: they call the library directly, with the handles of JOCL's objects.
 * A direct call takes about 20 ns; through JOCL it would take 300 to 800 ns. All other calls are made through JOCL.
 */
public final class DirectCalls extends JoclCalls {
    /** Native memory of each thread, for one value that a call returns or one event that is passed to it. */
    private static final ThreadLocal<MemorySegment> ANSWER =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Long.BYTES, Long.BYTES));

    private static void check(String call, int code) {
        if (code != 0) {
            throw new OpenClException(call, code);
        }
    }

    private static long event(String call, MemorySegment answer, boolean wanted, int code) {
        check(call, code);
        return wanted ? answer.get(JAVA_LONG, 0) : 0;
    }

    @Override
    public void setArgument(long kernel, int index, long bytes, MemorySegment value) {
        check("clSetKernelArg", OpenClLibrary.setKernelArg(kernel, index, bytes, value));
    }

    @Override
    public long enqueueKernel(
            long queue, long kernel, int dimensions, MemorySegment sizes, boolean local, boolean wanted) {
        MemorySegment event = wanted ? ANSWER.get() : MemorySegment.NULL;
        MemorySegment groups = local ? sizes.asSlice((long) dimensions * Long.BYTES) : MemorySegment.NULL;
        int code = OpenClLibrary.enqueueKernel(queue, kernel, dimensions, sizes, groups, 0, MemorySegment.NULL, event);
        return event("clEnqueueNDRangeKernel", event, wanted, code);
    }

    @Override
    public long enqueueRead(long queue, long buffer, long at, long bytes, MemorySegment to, boolean blocking) {
        MemorySegment event = blocking ? MemorySegment.NULL : ANSWER.get();
        int code = OpenClLibrary.enqueueRead(queue, buffer, blocking, at, bytes, to, event);
        return event("clEnqueueReadBuffer", event, !blocking, code);
    }

    @Override
    public long enqueueWrite(long queue, long buffer, long at, long bytes, MemorySegment from, boolean blocking) {
        MemorySegment event = blocking ? MemorySegment.NULL : ANSWER.get();
        int code = OpenClLibrary.enqueueWrite(queue, buffer, blocking, at, bytes, from, event);
        return event("clEnqueueWriteBuffer", event, !blocking, code);
    }

    @Override
    public void enqueueCopy(long queue, long from, long fromAt, long to, long toAt, long bytes) {
        check(
                "clEnqueueCopyBuffer",
                OpenClLibrary.enqueueCopy(queue, from, to, fromAt, toAt, bytes, MemorySegment.NULL));
    }

    @Override
    public long enqueueMarker(long queue) {
        MemorySegment event = ANSWER.get();
        int code = OpenClLibrary.enqueueMarker(queue, 0, MemorySegment.NULL, event);
        return event("clEnqueueMarkerWithWaitList", event, true, code);
    }

    @Override
    public void enqueueBarrier(long queue, long event) {
        MemorySegment waitFor = ANSWER.get();
        waitFor.set(JAVA_LONG, 0, event);
        check("clEnqueueBarrierWithWaitList", OpenClLibrary.enqueueBarrier(queue, 1, waitFor, MemorySegment.NULL));
    }

    @Override
    public void flush(long queue) {
        check("clFlush", OpenClLibrary.flush(queue));
    }

    @Override
    public void finish(long queue) {
        check("clFinish", OpenClLibrary.finish(queue));
    }

    @Override
    public int eventStatus(long event) {
        MemorySegment status = ANSWER.get();
        check(
                "clGetEventInfo",
                OpenClLibrary.eventInfo(event, Cl.EVENT_COMMAND_EXECUTION_STATUS, Integer.BYTES, status));
        int value = status.get(JAVA_INT, 0);
        return value;
    }

    @Override
    public void waitForEvent(long event) {
        MemorySegment events = ANSWER.get();
        events.set(JAVA_LONG, 0, event);
        check("clWaitForEvents", OpenClLibrary.waitForEvents(1, events));
    }

    @Override
    public long eventTime(long event, int name) {
        MemorySegment time = ANSWER.get();
        check("clGetEventProfilingInfo", OpenClLibrary.eventProfile(event, name, Long.BYTES, time));
        return time.get(JAVA_LONG, 0);
    }

    @Override
    public void releaseEvent(long event) {
        check("clReleaseEvent", OpenClLibrary.releaseEvent(event));
    }
}
