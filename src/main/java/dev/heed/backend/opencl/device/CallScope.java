package dev.heed.backend.opencl.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The scope of one call on the device: allocates the call's buffers and launches its kernels. Closing the scope checks the guard
 * zones, if there are any, and frees the buffers.
 */
public final class CallScope implements AutoCloseable {
    private static final int MOST_AXES = 6;

    /** Minimum bytes of a host tensor that kernels read without a copy: for a smaller one, a copy is faster than a new buffer. */
    private static final long IN_PLACE = 1 << 16;

    public final Engine engine;

    /** Whether kernels compute in double. */
    public final boolean f64;

    private final List<DeviceBuffer> owned = new ArrayList<>();
    private final List<Constants.Copy> leased = new ArrayList<>();
    private final List<OpenClMemory> residents = new ArrayList<>();
    private final List<MemorySegment> shared = new ArrayList<>(); // memory that must stay alive while kernels read it
    private final @Nullable GuardZones guardZones;
    private @Nullable DeviceBuffer nothing;

    public CallScope(Engine engine, boolean f64) {
        this.engine = engine;
        this.f64 = f64;
        this.guardZones = engine.options.guardZones() ? new GuardZones(engine) : null;
    }

    /** {@return the compute type} */
    public DType real() {
        return f64 ? DType.F64 : DType.F32;
    }

    /** {@return the tile sizes of a phase, see {@link Engine#sizes}; {@linkplain TileSizes#halved halved} for double} */
    public TileSizes sizes(String phase, long width) {
        TileSizes sizes = engine.sizes(phase, width);
        return f64 ? sizes.halved() : sizes;
    }

    // ---------------------------------------------------------------- memory

    DeviceBuffer allocate(long bytes) {
        long whole = Math.max(1, Math.ceilDiv(bytes, Long.BYTES)) * Long.BYTES;
        DeviceBuffer buffer = guardZones == null ? engine.allocate(whole) : guardZones.allocate(whole);
        owned.add(buffer);
        return buffer;
    }

    /** {@return a buffer for {@code count} elements of the compute type} */
    public DeviceBuffer reals(long count) {
        return allocate(count * real().bytes());
    }

    public DeviceTensor allocate(DType type, long... shape) {
        long count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        return DeviceTensor.packed(allocate(count * type.bytes()), type, shape);
    }

    /** {@return a small buffer to pass for arguments that a kernel does not use} */
    public DeviceBuffer nothing() {
        DeviceBuffer some = nothing;
        if (some == null) {
            some = allocate(Long.BYTES);
            nothing = some;
        }
        return some;
    }

    /** Releases one buffer before the scope closes. */
    public void free(DeviceBuffer buffer) {
        owned.remove(buffer);
        buffer.close();
    }

    // ---------------------------------------------------------------- copies

    /** {@return a tensor of this device as a {@code DeviceTensor}, with its strides and without a copy} */
    public DeviceTensor resident(Tensor tensor) {
        OpenClMemory memory = OpenClMemory.of(tensor);
        memory.lease();
        residents.add(memory);
        long[] strides = new long[tensor.rank()];
        Arrays.setAll(strides, tensor::stride);
        return new DeviceTensor(memory.buffer, tensor.type(), tensor.offset(), tensor.shape(), strides);
    }

    /** {@return a read-only tensor with the same elements on the device, with dense rows and, if possible, the same strides} */
    public DeviceTensor upload(Tensor tensor) {
        if (tensor.device() != null) {
            DeviceTensor there = resident(tensor);
            return there.hasDenseRows() ? there : packed(there, there.type());
        }
        if (guardZones != null) {
            return copied(tensor);
        }
        return engine.constants.takes(tensor) ? constant(tensor, tensor.type()) : inPlaceOrCopied(tensor);
    }

    private DeviceTensor constant(Tensor tensor, DType as) {
        Constants.Copy copy = engine.constants.lease(tensor, as, () -> {
            DeviceTensor made = copied(tensor.type() == as ? tensor : tensor.to(as));
            owned.remove(made.buffer());
            return made;
        });
        leased.add(copy);
        return copy.resident();
    }

    /**
     * {@return a device tensor in the tensor's own host memory, if the device can share this memory and the tensor is large,
     * native and without gaps; else a copy}
     */
    private DeviceTensor inPlaceOrCopied(Tensor tensor) {
        long bytes = tensor.elementCount() * tensor.type().bytes();
        long[] order = bytes < IN_PLACE || !tensor.segment().isNative() ? null : denseOrder(tensor);
        if (order == null) {
            return copied(tensor);
        }
        MemorySegment elements =
                tensor.segment().asSlice(tensor.offset() * tensor.type().bytes(), bytes);
        DeviceBuffer buffer = engine.context.share(elements).orElse(null);
        if (buffer == null) {
            return copied(tensor);
        }
        owned.add(buffer);
        shared.add(elements);
        return new DeviceTensor(buffer, tensor.type(), 0, tensor.shape(), order);
    }

    private DeviceTensor copied(Tensor tensor) {
        long[] order = denseOrder(tensor);
        Tensor dense = order == null ? tensor.copy() : tensor;
        long bytes = dense.elementCount() * dense.type().bytes();
        DeviceBuffer buffer = allocate(bytes);
        engine.context
                .queue()
                .write(
                        buffer,
                        0,
                        dense.segment().asSlice(dense.offset() * dense.type().bytes(), bytes));
        return order == null
                ? DeviceTensor.packed(buffer, dense.type(), dense.shape())
                : new DeviceTensor(buffer, dense.type(), 0, dense.shape(), order);
    }

    /** {@return the tensor itself if it has the type, else a packed copy in that type} */
    public DeviceTensor converted(DeviceTensor resident, DType as) {
        return resident.type() == as ? resident : packed(resident, as);
    }

    /** {@return a copy on the device, in row-major order and converted to a type} */
    public DeviceTensor packed(DeviceTensor resident, DType as) {
        DeviceTensor packed = allocate(as, resident.shape());
        copy(resident, packed);
        return packed;
    }

    /** {@return the tensor on the device, converted to a type and packed from the start of its buffer} */
    public DeviceTensor upload(Tensor tensor, DType as) {
        if (tensor.device() != null) {
            DeviceTensor there = resident(tensor);
            return there.type() == as && there.isPacked() && there.at() == 0 ? there : packed(there, as);
        }
        if (guardZones == null && tensor.isContiguous() && engine.constants.takes(tensor)) {
            return constant(tensor, as);
        }
        return tensor.type() == as && tensor.isContiguous() ? upload(tensor) : upload(tensor.to(as));
    }

    public DeviceBuffer upload(int[] values) {
        return upload(values, 0);
    }

    /** {@return a buffer with numbers and {@code more} bytes after them} */
    public DeviceBuffer upload(int[] values, long more) {
        DeviceBuffer buffer = allocate((long) values.length * Integer.BYTES + more);
        engine.context.queue().write(buffer, 0, MemorySegment.ofArray(values));
        return buffer;
    }

    public DeviceBuffer uploadIndices(Tensor integers) {
        int[] values = new int[Math.toIntExact(integers.elementCount())];
        double[] given = integers.toDoubleArray();
        Arrays.setAll(values, n -> (int) given[n]);
        return upload(values);
    }

    /** {@return the strides of a tensor that fills a range of memory without gaps and has dense rows, else null} */
    private static long @Nullable [] denseOrder(Tensor tensor) {
        int rank = tensor.rank();
        Integer[] axes = new Integer[rank];
        Arrays.setAll(axes, axis -> axis);
        Arrays.sort(axes, Comparator.comparingLong(axis -> tensor.size(axis) == 1 ? 0 : tensor.stride(axis)));
        long next = 1;
        long[] strides = new long[rank];
        for (int axis : axes) {
            strides[axis] = tensor.stride(axis);
            if (tensor.size(axis) > 1) {
                if (tensor.stride(axis) != next) {
                    return null;
                }
                next *= tensor.size(axis);
            }
        }
        boolean denseRows = rank == 0 || tensor.size(-1) == 1 || tensor.stride(-1) == 1;
        return denseRows ? strides : null;
    }

    /** Reads a packed tensor into host memory and waits for the copy. */
    public void read(DeviceTensor from, MemorySegment to) {
        if (!from.isPacked()) {
            throw new IllegalArgumentException("the tensor must be packed: " + Arrays.toString(from.strides()));
        }
        engine.context.queue().read(from.buffer(), from.at() * from.type().bytes(), to);
    }

    /** Copies elements within the device, between tensors of equal shape whose strides and types may differ. */
    public void copy(DeviceTensor from, DeviceTensor to) {
        if (from.type() == to.type() && from.isPacked() && to.isPacked() && from.buffer() != to.buffer()) {
            int element = from.type().bytes();
            engine.context
                    .queue()
                    .copy(from.buffer(), from.at() * element, to.buffer(), to.at() * element, from.bytes());
            return;
        }
        Arguments struct = new Arguments(2 + 3 * MOST_AXES, 0, f64).put(from.at(), to.at());
        int lead = MOST_AXES - from.shape().length;
        for (int field = 0; field < 3; field++) {
            for (int axis = 0; axis < MOST_AXES; axis++) {
                boolean there = axis >= lead;
                long[] values = field == 0 ? from.shape() : field == 1 ? from.strides() : to.strides();
                struct.put(there ? values[axis - lead] : field == 0 ? 1 : 0);
            }
        }
        boolean same = from.type() == to.type();
        boolean doubles = !same && (from.type() == DType.F64 || to.type() == DType.F64);
        String options = same
                ? "-DBYTES=" + from.type().bytes()
                : "-DFROM=" + StorageCode.of(from.type()) + " -DTO=" + StorageCode.of(to.type())
                        + (doubles ? " -DREAL_F64=1" : "");
        launch("copy", options, "copy", WorkSize.covering(from.count(), group()), struct, from.buffer(), to.buffer());
    }

    // ---------------------------------------------------------------- kernels

    /** {@return the compiler option for the compute type} */
    public String realOption() {
        return f64 ? " -DREAL_F64=1" : "";
    }

    /** {@return work-items per work-group in kernels whose work-items do not cooperate} */
    public long group() {
        return Math.min(64, engine.context.limits().maxWorkGroupSize());
    }

    /** Launches a kernel of {@code kernels/file.cl} with buffers, longs and structs as arguments. */
    public void launch(String file, String options, String kernel, WorkSize size, Object... arguments) {
        try (Kernel ready = engine.program(file, options).kernel(kernel)) {
            ready.arguments();
            for (Object argument : arguments) {
                switch (argument) {
                    case DeviceBuffer buffer -> ready.buffer(buffer);
                    case Arguments struct -> ready.bytes(struct.segment());
                    case Long number -> ready.int64(number);
                    default -> throw new IllegalArgumentException(argument.toString());
                }
            }
            engine.context.queue().launch(ready, size);
        }
    }

    public void fillZeros(DeviceTensor resident) {
        engine.context.queue().fill(resident.buffer(), 0, (resident.bytes() + JAVA_INT.byteSize() - 1) / 4 * 4, 0);
    }

    @Override
    public void close() {
        try {
            if (guardZones != null) {
                guardZones.check();
            }
        } finally {
            release();
        }
    }

    private void release() {
        owned.forEach(DeviceBuffer::close);
        owned.clear();
        if (guardZones != null) {
            guardZones.close();
        }
        shared.clear();
        leased.forEach(engine.constants::giveBack);
        leased.clear();
        residents.forEach(OpenClMemory::giveBack);
        residents.clear();
    }
}
