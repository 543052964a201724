package dev.heed.opencl.calls;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.heed.ffi.SignalHandlers;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.NativePointerObject;
import org.jocl.Pointer;
import org.jocl.cl_buffer_region;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_platform_id;
import org.jocl.cl_program;
import org.jspecify.annotations.Nullable;

/**
 * OpenCL calls through JOCL. JOCL's functions require JOCL's objects, so this class stores the object of each handle until its
 * release. Loading this class loads JOCL and its native library. Memory is passed as direct buffers, because JOCL would pin a heap
 * array.
 */
public class JoclCalls implements OpenClCalls {
    private final Map<Long, NativePointerObject> objects;
    private final Map<Long, ByteBuffer> mappings;

    public JoclCalls() {
        this.objects = new ConcurrentHashMap<>();
        this.mappings = new ConcurrentHashMap<>();
    }

    private JoclCalls(JoclCalls other) {
        this.objects = other.objects;
        this.mappings = other.mappings;
    }

    /** {@return an implementation for the same handles that makes all calls through JOCL} */
    public JoclCalls plain() {
        return new JoclCalls(this);
    }

    // ---------------------------------------------------------------- discovery

    @Override
    public long[] platforms() {
        int[] count = new int[1];
        check("clGetPlatformIDs", () -> CL.clGetPlatformIDs(0, null, count));
        var found = new cl_platform_id[count[0]];
        if (found.length > 0) {
            check("clGetPlatformIDs", () -> CL.clGetPlatformIDs(found.length, found, null));
        }
        return Arrays.stream(found).mapToLong(this::keep).toArray();
    }

    @Override
    public String platformText(long platform, int name) {
        cl_platform_id it = object(cl_platform_id.class, platform);
        return ClText.of(
                answer("clGetPlatformInfo", (bytes, to, size) -> CL.clGetPlatformInfo(it, name, bytes, to, size)));
    }

    @Override
    public long[] devices(long platform, long types) {
        cl_platform_id it = object(cl_platform_id.class, platform);
        int[] count = new int[1];
        check("clGetDeviceIDs", () -> CL.clGetDeviceIDs(it, types, 0, null, count));
        var found = new cl_device_id[count[0]];
        if (found.length > 0) {
            check("clGetDeviceIDs", () -> CL.clGetDeviceIDs(it, types, found.length, found, null));
        }
        return Arrays.stream(found).mapToLong(this::keep).toArray();
    }

    @Override
    public byte[] deviceInfo(long device, int name) {
        cl_device_id it = object(cl_device_id.class, device);
        return answer("clGetDeviceInfo", (bytes, to, size) -> CL.clGetDeviceInfo(it, name, bytes, to, size));
    }

    // ---------------------------------------------------------------- contexts, queues, memory

    @Override
    public long createContext(long platform, long device) {
        var properties = new cl_context_properties();
        properties.addProperty(Cl.CONTEXT_PLATFORM, object(cl_platform_id.class, platform));
        cl_device_id[] devices = {object(cl_device_id.class, device)};
        synchronized (ProcessLock.LOCK) {
            return SignalHandlers.keptDuring(() ->
                    create("clCreateContext", code -> CL.clCreateContext(properties, 1, devices, null, null, code)));
        }
    }

    @Override
    public void releaseContext(long context) {
        synchronized (ProcessLock.LOCK) {
            release("clReleaseContext", cl_context.class, context, CL::clReleaseContext);
        }
    }

    @Override
    @SuppressWarnings("deprecation") // OpenCL 1.2 devices have no clCreateCommandQueueWithProperties
    public long createQueue(long context, long device, boolean profiling) {
        cl_context in = object(cl_context.class, context);
        cl_device_id on = object(cl_device_id.class, device);
        long properties = profiling ? Cl.QUEUE_PROFILING : 0;
        return create("clCreateCommandQueue", code -> CL.clCreateCommandQueue(in, on, properties, code));
    }

    @Override
    public void releaseQueue(long queue) {
        release("clReleaseCommandQueue", cl_command_queue.class, queue, CL::clReleaseCommandQueue);
    }

    @Override
    public long createBuffer(long context, long flags, long bytes, MemorySegment host) {
        cl_context in = object(cl_context.class, context);
        Pointer at = host.address() == 0 ? null : pointer(host, bytes);
        return create("clCreateBuffer", code -> CL.clCreateBuffer(in, flags, bytes, at, code));
    }

    @Override
    public long createSubBuffer(long buffer, long origin, long bytes) {
        cl_mem of = object(cl_mem.class, buffer);
        var region = new cl_buffer_region(origin, bytes);
        return create(
                "clCreateSubBuffer",
                code -> CL.clCreateSubBuffer(of, Cl.MEM_READ_WRITE, Cl.BUFFER_CREATE_TYPE_REGION, region, code));
    }

    @Override
    public void releaseBuffer(long buffer) {
        release("clReleaseMemObject", cl_mem.class, buffer, CL::clReleaseMemObject);
    }

    @Override
    public MemorySegment map(long queue, long buffer, long flags, long at, long bytes) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_mem of = object(cl_mem.class, buffer);
        var made = new ByteBuffer[1];
        check("clEnqueueMapBuffer", () -> {
            int[] code = new int[1];
            made[0] = CL.clEnqueueMapBuffer(on, of, true, flags, at, bytes, 0, null, null, code);
            return code[0];
        });
        MemorySegment segment = MemorySegment.ofBuffer(Objects.requireNonNull(made[0]));
        mappings.put(segment.address(), made[0]);
        return segment;
    }

    @Override
    public void unmap(long queue, long buffer, MemorySegment mapped) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_mem of = object(cl_mem.class, buffer);
        ByteBuffer bytes = Objects.requireNonNull(mappings.remove(mapped.address()), "not mapped");
        check("clEnqueueUnmapMemObject", () -> CL.clEnqueueUnmapMemObject(on, of, bytes, 0, null, null));
    }

    // ---------------------------------------------------------------- programs and kernels

    @Override
    public long createProgram(long context, String source) {
        cl_context in = object(cl_context.class, context);
        return create(
                "clCreateProgramWithSource",
                code -> CL.clCreateProgramWithSource(in, 1, new String[] {source}, null, code));
    }

    @Override
    public long createProgram(long context, long device, byte[] binary) {
        cl_context in = object(cl_context.class, context);
        cl_device_id[] devices = {object(cl_device_id.class, device)};
        long[] lengths = {binary.length};
        byte[][] binaries = {binary};
        return create(
                "clCreateProgramWithBinary",
                code -> CL.clCreateProgramWithBinary(in, 1, devices, lengths, binaries, new int[1], code));
    }

    @Override
    public void buildProgram(long program, long device, String options) {
        cl_program it = object(cl_program.class, program);
        cl_device_id[] devices = {object(cl_device_id.class, device)};
        synchronized (ProcessLock.LOCK) {
            SignalHandlers.keptDuring(() -> {
                check("clBuildProgram", () -> CL.clBuildProgram(it, 1, devices, options, null, null));
                return program;
            });
        }
    }

    @Override
    public String buildLog(long program, long device) {
        cl_program it = object(cl_program.class, program);
        cl_device_id on = object(cl_device_id.class, device);
        return ClText.of(answer(
                "clGetProgramBuildInfo",
                (bytes, to, size) -> CL.clGetProgramBuildInfo(it, on, Cl.PROGRAM_BUILD_LOG, bytes, to, size)));
    }

    @Override
    public byte[] programBinary(long program) {
        cl_program it = object(cl_program.class, program);
        ByteBuffer size = direct(Long.BYTES);
        check(
                "clGetProgramInfo",
                () -> CL.clGetProgramInfo(it, Cl.PROGRAM_BINARY_SIZES, Long.BYTES, Pointer.to(size), null));
        ByteBuffer binary = direct(Math.toIntExact(size.getLong(0)));
        Pointer one = Pointer.to(Pointer.to(binary));
        check("clGetProgramInfo", () -> CL.clGetProgramInfo(it, Cl.PROGRAM_BINARIES, Long.BYTES, one, null));
        return content(binary);
    }

    @Override
    public void releaseProgram(long program) {
        release("clReleaseProgram", cl_program.class, program, CL::clReleaseProgram);
    }

    @Override
    public long createKernel(long program, String name) {
        cl_program of = object(cl_program.class, program);
        return create("clCreateKernel", code -> CL.clCreateKernel(of, name, code));
    }

    @Override
    public int argumentCount(long kernel) {
        cl_kernel it = object(cl_kernel.class, kernel);
        ByteBuffer count = direct(Integer.BYTES);
        check(
                "clGetKernelInfo",
                () -> CL.clGetKernelInfo(it, Cl.KERNEL_NUM_ARGS, Integer.BYTES, Pointer.to(count), null));
        return count.getInt(0);
    }

    @Override
    public long workGroupInfo(long kernel, long device, int name) {
        cl_kernel it = object(cl_kernel.class, kernel);
        cl_device_id on = object(cl_device_id.class, device);
        ByteBuffer value = direct(Long.BYTES);
        check(
                "clGetKernelWorkGroupInfo",
                () -> CL.clGetKernelWorkGroupInfo(it, on, name, Long.BYTES, Pointer.to(value), null));
        return value.getLong(0);
    }

    @Override
    public void releaseKernel(long kernel) {
        release("clReleaseKernel", cl_kernel.class, kernel, CL::clReleaseKernel);
    }

    // ---------------------------------------------------------------- calls per launch or transfer

    @Override
    public void setArgument(long kernel, int index, long bytes, MemorySegment value) {
        cl_kernel it = object(cl_kernel.class, kernel);
        Pointer at = value.address() == 0 ? null : pointer(value, bytes);
        check("clSetKernelArg", () -> CL.clSetKernelArg(it, index, bytes, at));
    }

    @Override
    public long enqueueKernel(
            long queue, long kernel, int dimensions, MemorySegment sizes, boolean local, boolean wanted) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_kernel it = object(cl_kernel.class, kernel);
        long[] global = sizes.asSlice(0, (long) dimensions * Long.BYTES).toArray(JAVA_LONG);
        long[] groups = local
                ? sizes.asSlice((long) dimensions * Long.BYTES, (long) dimensions * Long.BYTES)
                        .toArray(JAVA_LONG)
                : null;
        return event(
                "clEnqueueNDRangeKernel",
                wanted,
                event -> CL.clEnqueueNDRangeKernel(on, it, dimensions, null, global, groups, 0, null, event));
    }

    @Override
    public long enqueueRead(long queue, long buffer, long at, long bytes, MemorySegment to, boolean blocking) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_mem from = object(cl_mem.class, buffer);
        Pointer host = pointer(to, bytes);
        return event(
                "clEnqueueReadBuffer",
                !blocking,
                event -> CL.clEnqueueReadBuffer(on, from, blocking, at, bytes, host, 0, null, event));
    }

    @Override
    public long enqueueWrite(long queue, long buffer, long at, long bytes, MemorySegment from, boolean blocking) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_mem to = object(cl_mem.class, buffer);
        Pointer host = pointer(from, bytes);
        return event(
                "clEnqueueWriteBuffer",
                !blocking,
                event -> CL.clEnqueueWriteBuffer(on, to, blocking, at, bytes, host, 0, null, event));
    }

    @Override
    public void enqueueCopy(long queue, long from, long fromAt, long to, long toAt, long bytes) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_mem source = object(cl_mem.class, from);
        cl_mem target = object(cl_mem.class, to);
        check(
                "clEnqueueCopyBuffer",
                () -> CL.clEnqueueCopyBuffer(on, source, target, fromAt, toAt, bytes, 0, null, null));
    }

    @Override
    public long enqueueMarker(long queue) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        return event("clEnqueueMarkerWithWaitList", true, event -> CL.clEnqueueMarkerWithWaitList(on, 0, null, event));
    }

    @Override
    public void enqueueBarrier(long queue, long event) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        cl_event[] waitFor = {object(cl_event.class, event)};
        check("clEnqueueBarrierWithWaitList", () -> CL.clEnqueueBarrierWithWaitList(on, 1, waitFor, null));
    }

    @Override
    public void flush(long queue) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        check("clFlush", () -> CL.clFlush(on));
    }

    @Override
    public void finish(long queue) {
        cl_command_queue on = object(cl_command_queue.class, queue);
        check("clFinish", () -> CL.clFinish(on));
    }

    @Override
    public int eventStatus(long event) {
        cl_event it = object(cl_event.class, event);
        ByteBuffer status = direct(Integer.BYTES);
        check(
                "clGetEventInfo",
                () -> CL.clGetEventInfo(
                        it, Cl.EVENT_COMMAND_EXECUTION_STATUS, Integer.BYTES, Pointer.to(status), null));
        return status.getInt(0);
    }

    @Override
    public void waitForEvent(long event) {
        cl_event[] events = {object(cl_event.class, event)};
        check("clWaitForEvents", () -> CL.clWaitForEvents(1, events));
    }

    @Override
    public long eventTime(long event, int name) {
        cl_event it = object(cl_event.class, event);
        ByteBuffer time = direct(Long.BYTES);
        check(
                "clGetEventProfilingInfo",
                () -> CL.clGetEventProfilingInfo(it, name, Long.BYTES, Pointer.to(time), null));
        return time.getLong(0);
    }

    @Override
    public void releaseEvent(long event) {
        release("clReleaseEvent", cl_event.class, event, CL::clReleaseEvent);
    }

    // ---------------------------------------------------------------- handles and objects

    private long keep(NativePointerObject object) {
        objects.put(object.getNativePointer(), object);
        return object.getNativePointer();
    }

    private <T extends NativePointerObject> T object(Class<T> type, long handle) {
        NativePointerObject object = objects.get(handle);
        if (object == null) {
            throw new IllegalStateException("a " + type.getSimpleName() + " was used after its release");
        }
        return type.cast(object);
    }

    private long create(String call, Function<int[], @Nullable NativePointerObject> body) {
        var made = new NativePointerObject[1];
        check(call, () -> {
            int[] code = new int[1];
            NativePointerObject object = body.apply(code);
            if (object != null) {
                made[0] = object;
            }
            return code[0] == 0 && object == null ? ErrorCode.OUT_OF_RESOURCES : code[0];
        });
        return keep(made[0]);
    }

    private <T extends NativePointerObject> void release(
            String call, Class<T> type, long handle, Function<T, Integer> body) {
        T object = object(type, handle);
        objects.remove(handle);
        check(call, () -> body.apply(object));
    }

    private long event(String call, boolean wanted, Function<@Nullable cl_event, Integer> body) {
        cl_event event = wanted ? new cl_event() : null;
        check(call, () -> body.apply(event));
        return event == null ? 0 : keep(event);
    }

    private static void check(String call, IntSupplier body) {
        int code;
        try {
            code = body.getAsInt();
        } catch (CLException e) { // other code in the process may have enabled JOCL's exceptions
            code = e.getStatus();
        } catch (UnsupportedOperationException e) {
            var missing = new OpenClException(
                    call,
                    ErrorCode.INVALID_OPERATION,
                    String.valueOf(e.getMessage()),
                    "install an OpenCL loader of version 1.2 or newer: apt install ocl-icd-libopencl1");
            missing.initCause(e);
            throw missing;
        }
        if (code != 0) {
            throw new OpenClException(call, code);
        }
    }

    // ---------------------------------------------------------------- bytes

    private interface Question {
        int ask(long bytes, @Nullable Pointer to, long @Nullable [] size);
    }

    /** Queries twice: first the length of the answer, then the answer. */
    private static byte[] answer(String call, Question question) {
        long[] size = new long[1];
        check(call, () -> question.ask(0, null, size));
        ByteBuffer answer = direct(Math.toIntExact(size[0]));
        if (size[0] > 0) {
            check(call, () -> question.ask(size[0], Pointer.to(answer), null));
        }
        return content(answer);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private static byte[] content(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    /** {@return a pointer to a segment} A ByteBuffer is limited to 2 GiB, but JOCL uses only its address. */
    private static Pointer pointer(MemorySegment segment, long bytes) {
        return Pointer.to(segment.asSlice(0, Math.min(bytes, Integer.MAX_VALUE)).asByteBuffer());
    }
}
