package dev.heed.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A typed, strided view of memory, described by an element type, a shape, strides and an offset. It has no arithmetic and
 * does not own the memory.
 *
 * <p>Views ({@link #slice}, {@link #select}, {@link #transpose}, {@link #split}, {@link #expand}) share the memory, so
 * packed, head-first and sequence-first data can be used without a copy.
 *
 * <p><b>Lifetime.</b> A tensor over an array or made by {@link #zeros} lives as long as it is reachable. A tensor over a
 * segment of an {@link Arena} lives as long as the arena. Heed never closes a caller's arena. A call with a tensor whose
 * arena is closed throws an {@link InvalidInputException} before any work starts.
 *
 * <p><b>Devices.</b> The memory may be on a device ({@link DeviceArena}). Shapes and views work as for other tensors, but
 * methods that read or write an element throw an exception whose hint names {@link #toHost}.
 *
 * <p><b>Threads.</b> Reading from many threads is safe. The caller must synchronise concurrent writes to the same elements.
 */
public final class Tensor {
    private static final long ALIGNMENT = 64;

    /** A thread that is never started and therefore owns no arena. */
    private static final Thread OTHER_THREAD = Thread.ofPlatform().unstarted(() -> {});

    private final MemorySegment segment;
    private final @Nullable DeviceMemory device;
    private final DType type;
    private final long[] shape;
    private final long[] strides;
    private final long offset;

    /** Backend-specific forms of a constant, by class; null if this tensor is not a constant. */
    private final @Nullable Map<Class<?>, Object> forms;

    /** Scales of an i8 tensor; null for other types and for i8 tensors without scales. */
    private final @Nullable ByteScales scales;

    private Tensor(MemorySegment segment, DType type, long[] shape, long[] strides, long offset) {
        this(segment, null, type, shape, strides, offset, null, null);
    }

    private Tensor(
            MemorySegment segment,
            @Nullable DeviceMemory device,
            DType type,
            long[] shape,
            long[] strides,
            long offset,
            @Nullable Map<Class<?>, Object> forms,
            @Nullable ByteScales scales) {
        this.segment = segment;
        this.device = device;
        this.type = type;
        this.shape = shape;
        this.strides = strides;
        this.offset = offset;
        this.forms = forms;
        this.scales = scales;
    }

    // ---------------------------------------------------------------- factories

    /** {@return a row-major view of the array; writes change the array} */
    public static Tensor of(float[] data, long... shape) {
        return of(MemorySegment.ofArray(data), DType.F32, shape);
    }

    /** {@return a row-major view of the array; writes change the array} */
    public static Tensor of(double[] data, long... shape) {
        return of(MemorySegment.ofArray(data), DType.F64, shape);
    }

    /** {@return a row-major view of the array; writes change the array} */
    public static Tensor of(long[] data, long... shape) {
        return of(MemorySegment.ofArray(data), DType.I64, shape);
    }

    /** {@return a copy of the array as truth values, row-major} */
    public static Tensor of(boolean[] data, long... shape) {
        byte[] bytes = new byte[data.length];
        for (int i = 0; i < data.length; i++) {
            bytes[i] = (byte) (data[i] ? 1 : 0);
        }
        return of(MemorySegment.ofArray(bytes), DType.BOOL, shape);
    }

    /**
     * {@return a row-major view of the buffer from its position to its limit; writes change the buffer}
     *
     * @throws InvalidInputException if the buffer is not in the machine's byte order
     */
    public static Tensor of(FloatBuffer data, long... shape) {
        if (data.order() != ByteOrder.nativeOrder()) {
            throw new InvalidInputException(
                    "The buffer's byte order is not the machine's",
                    ByteOrder.nativeOrder().toString(),
                    data.order().toString(),
                    "ByteBuffer.allocateDirect(n).order(ByteOrder.nativeOrder()).asFloatBuffer()");
        }
        return of(MemorySegment.ofBuffer(data), DType.F32, shape);
    }

    /**
     * {@return a view of the segment, row-major from its first byte}
     *
     * @param segment heap or native memory, in the machine's byte order and with any alignment
     * @param type the type of its elements
     * @param shape the sizes of the axes, each at least 1
     * @throws InvalidInputException if a size is below 1 or the segment does not have exactly the bytes of the shape
     */
    public static Tensor of(MemorySegment segment, DType type, long... shape) {
        long bytes = bytes(type, shape);
        if (segment.byteSize() != bytes) {
            throw new InvalidInputException(
                    "The data do not fill the shape",
                    bytes / type.bytes() + " elements (" + bytes + " bytes) for " + type.label() + " "
                            + Arrays.toString(shape),
                    segment.byteSize() / type.bytes() + " elements (" + segment.byteSize() + " bytes)",
                    "pass the sizes of the axes, outermost first, or slice the segment with asSlice(0, " + bytes + ")");
        }
        return new Tensor(segment, type, shape.clone(), rowMajor(shape), 0);
    }

    /** {@return a tensor of zeros (false for bool) in memory that the garbage collector reclaims} */
    public static Tensor zeros(DType type, long... shape) {
        long bytes = bytes(type, shape);
        long count = bytes / type.bytes();
        if (count > Integer.MAX_VALUE - 8) {
            return of(Arena.ofAuto().allocate(bytes, ALIGNMENT), type, shape);
        }
        int n = (int) count;
        MemorySegment segment = switch (type) {
            case F64 -> MemorySegment.ofArray(new double[n]);
            case F32 -> MemorySegment.ofArray(new float[n]);
            case F16, BF16 -> MemorySegment.ofArray(new short[n]);
            case I64 -> MemorySegment.ofArray(new long[n]);
            case I32 -> MemorySegment.ofArray(new int[n]);
            case I8, BOOL -> MemorySegment.ofArray(new byte[n]);
        };
        return of(segment, type, shape);
    }

    /** {@return a tensor of zeros in native memory, aligned to 64 bytes, that lives as long as the arena} */
    public static Tensor allocate(Arena arena, DType type, long... shape) {
        return of(arena.allocate(bytes(type, shape), ALIGNMENT), type, shape);
    }

    private static long bytes(DType type, long[] shape) {
        long bytes = type.bytes();
        for (long size : shape) {
            if (size < 1) {
                throw new InvalidInputException(
                        "Every axis needs at least one element",
                        "sizes of 1 or more",
                        Arrays.toString(shape),
                        "skip the call if there is nothing to compute");
            }
            if (Math.multiplyHigh(bytes, size) != 0 || bytes * size < 0) {
                throw new InvalidInputException(
                        "The shape has more bytes than a memory segment can hold",
                        "at most " + Long.MAX_VALUE + " bytes",
                        type.label() + " " + Arrays.toString(shape),
                        "split the batch or the heads");
            }
            bytes *= size;
        }
        return bytes;
    }

    private static long[] rowMajor(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        return strides;
    }

    /**
     * {@return a view of memory on a device, row-major from its first byte} Sizes, strides and views work as for any tensor.
     * Elements can be read by the device's backend or after {@link #toHost}.
     *
     * @throws InvalidInputException if a size is below 1 or the memory does not have exactly the bytes of the shape
     */
    public static Tensor on(DeviceMemory memory, DType type, long... shape) {
        long bytes = bytes(type, shape);
        if (memory.byteSize() != bytes) {
            throw new InvalidInputException(
                    "The device memory does not fill the shape",
                    bytes + " bytes for " + type.label() + " " + Arrays.toString(shape),
                    memory.byteSize() + " bytes",
                    "allocate(type, shape) makes memory that fits");
        }
        return new Tensor(MemorySegment.NULL, memory, type, shape.clone(), rowMajor(shape), 0, null, null);
    }

    // ---------------------------------------------------------------- bytes with scales

    /**
     * {@return an i8 tensor over bytes, with one scale per row of the last axis} An element is its byte times the scale of
     * its row. Keys and values may be i8 tensors with scales. Backends that compute with bytes read the bytes and the
     * scales separately.
     *
     * @param bytes the bytes, row-major
     * @param scales one f32 for each row, row-major
     * @param shape the sizes of the axes, each at least 1
     * @throws InvalidInputException if the segments do not fill the shape
     */
    public static Tensor ofBytes(MemorySegment bytes, MemorySegment scales, long... shape) {
        Tensor plain = of(bytes, DType.I8, shape);
        long width = shape.length == 0 ? 1 : shape[shape.length - 1];
        long rows = bytes(DType.I8, shape) / width;
        if (scales.byteSize() != rows * Float.BYTES) {
            throw new InvalidInputException(
                    "The scales do not fit the rows",
                    rows + " of 4 bytes for i8 " + Arrays.toString(shape),
                    scales.byteSize() + " bytes",
                    "one f32 for each row of the last axis");
        }
        return new Tensor(bytes, null, DType.I8, plain.shape, plain.strides, 0, null, new ByteScales(scales, width));
    }

    /**
     * {@return the elements rounded to bytes, with one scale per row of the last axis: the row's largest absolute value
     * divided by 127} The error of an element is at most half the scale of its row, 1/254 of the largest absolute value; a
     * row of zeros is exact. If an element of a row is non-finite, all elements of the row become NaN. {@code
     * to(DType.F32)} converts back.
     */
    public Tensor quantized() {
        int width = Math.toIntExact(size(-1));
        int rows = Math.toIntExact(elementCount() / width);
        byte[] bytes = new byte[Math.multiplyExact(rows, width)];
        float[] units = new float[rows];
        var rounding = new ByteRounding(type, width);
        if (type == DType.F64) {
            double[] numbers = toDoubleArray();
            for (int row = 0; row < rows; row++) {
                units[row] = rounding.round(numbers, row * width, bytes);
            }
        } else {
            float[] numbers = toFloatArray();
            for (int row = 0; row < rows; row++) {
                units[row] = rounding.round(numbers, row * width, bytes);
            }
        }
        return ofBytes(MemorySegment.ofArray(bytes), MemorySegment.ofArray(units), shape);
    }

    /** {@return the scales of an i8 tensor, or null} */
    public @Nullable ByteScales scales() {
        return scales;
    }

    // ---------------------------------------------------------------- properties

    /** {@return the type of the elements} */
    public DType type() {
        return type;
    }

    /** {@return the number of axes} */
    public int rank() {
        return shape.length;
    }

    /** {@return the sizes of the axes, outermost first, as a copy} */
    public long[] shape() {
        return shape.clone();
    }

    /** {@return whether the axes have these sizes, outermost first} */
    public boolean hasShape(long... sizes) {
        return Arrays.equals(shape, sizes);
    }

    /** {@return the size of one axis; a negative {@code axis} is relative to the end, so -1 is the last axis} */
    public long size(int axis) {
        return shape[axis(axis)];
    }

    /** {@return the distance in elements between neighbours along one axis; 0 for an expanded axis} */
    public long stride(int axis) {
        return strides[axis(axis)];
    }

    /** {@return the product of the sizes, expanded axes included} */
    public long elementCount() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }

    /**
     * {@return the host memory that this tensor views}
     *
     * @throws InvalidInputException if the tensor is on a device
     */
    public MemorySegment segment() {
        return host();
    }

    /** {@return the device memory that this tensor views, or null if the tensor is in host memory} */
    public @Nullable DeviceMemory device() {
        return device;
    }

    MemorySegment host() {
        if (device != null) {
            throw new InvalidInputException(
                    "The tensor is on a device",
                    "host memory",
                    this + " on " + device.place(),
                    "call toHost() for a copy, or ask for the device's backend by name");
        }
        return segment;
    }

    /** {@return this tensor if it is in host memory, else a copy in host memory} */
    public Tensor toHost() {
        if (device == null) {
            return this;
        }
        long bytes = (last() - offset + 1) * type.bytes();
        MemorySegment copy = Arena.ofAuto().allocate(bytes, ALIGNMENT);
        device.read(offset * type.bytes(), copy);
        return new Tensor(copy, type, shape, strides, 0);
    }

    /** {@return the position of the first element in {@link #segment}, in elements} */
    public long offset() {
        return offset;
    }

    /** {@return whether the elements are stored row-major without gaps} */
    public boolean isContiguous() {
        long stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            if (shape[axis] != 1 && strides[axis] != stride) {
                return false;
            }
            stride *= shape[axis];
        }
        return true;
    }

    /** {@return whether the arena of the memory is still open} */
    public boolean isAlive() {
        return device == null ? segment.scope().isAlive() : device.isAlive();
    }

    /**
     * Checks that this thread may read the memory now.
     *
     * @param name the name of the tensor in the message
     * @throws InvalidInputException if the arena is closed or confined to another thread
     */
    public void requireAccessible(String name) {
        if (!isAlive()) {
            throw new InvalidInputException(
                    "The arena of " + name + " is closed",
                    device == null ? "an open arena" : "open memory on " + device.place(),
                    toString(),
                    "keep the arena open until the call returns");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new InvalidInputException(
                    "The arena of " + name + " belongs to another thread",
                    "an arena that thread " + Thread.currentThread().getName() + " may access",
                    toString(),
                    "every thread may access Arena.ofShared()");
        }
    }

    /** {@return whether the arena is confined to one thread, as with {@link Arena#ofConfined}} */
    public boolean isConfined() {
        return device == null && !segment.isAccessibleBy(OTHER_THREAD);
    }

    /** {@return whether the memory is read-only} */
    public boolean isReadOnly() {
        return segment.isReadOnly();
    }

    /** {@return whether several indices refer to the same element because an axis is {@linkplain #expand expanded}} */
    public boolean isExpanded() {
        for (int axis = 0; axis < shape.length; axis++) {
            if (strides[axis] == 0 && shape[axis] > 1) {
                return true;
            }
        }
        return false;
    }

    /**
     * {@return whether elements of the two tensors share memory} The answer is exact for tensors of equal type and equal
     * strides, all of them positive, such as the query, key and value of a packed tensor. For other tensors, it is whether
     * their spans from first to last element overlap.
     */
    public boolean overlaps(Tensor other) {
        if (segment.asOverlappingSlice(other.segment).isEmpty()
                || span().asOverlappingSlice(other.span()).isEmpty()) {
            return false;
        }
        long apart = (other.segment.address() - segment.address()) / type.bytes() + other.offset - offset;
        boolean comparable = type == other.type
                && Arrays.equals(strides, other.strides)
                && Arrays.stream(strides).allMatch(stride -> stride > 0)
                && (other.segment.address() - segment.address()) % type.bytes() == 0;
        if (!comparable) {
            return true;
        }
        Integer[] axes = new Integer[strides.length];
        Arrays.setAll(axes, axis -> axis);
        Arrays.sort(axes, Comparator.comparingLong(axis -> -strides[axis]));
        return meets(other, apart, axes, 0);
    }

    /**
     * {@return whether {@code apart} is a sum of terms {@code (i - j) * stride}, one for each of {@code axes[next]} and the
     * axes after it in {@code axes}, where i is an index of this tensor along that axis and j an index of {@code other}}
     */
    private boolean meets(Tensor other, long apart, Integer[] axes, int next) {
        if (next == axes.length) {
            return apart == 0;
        }
        long reach = 0; // largest distance in elements along the axes after axes[next]
        for (int n = next + 1; n < axes.length; n++) {
            reach += (Math.max(shape[axes[n]], other.shape[axes[n]]) - 1) * strides[axes[n]];
        }
        long stride = strides[axes[next]];
        long first = Math.max(Math.ceilDiv(apart - reach, stride), 1 - other.shape[axes[next]]);
        long last = Math.min(Math.floorDiv(apart + reach, stride), shape[axes[next]] - 1);
        for (long steps = first; steps <= last; steps++) {
            if (meets(other, apart - steps * stride, axes, next + 1)) {
                return true;
            }
        }
        return false;
    }

    private MemorySegment span() {
        return segment.asSlice(offset * type.bytes(), (last() - offset + 1) * type.bytes());
    }

    /** {@return the position of the last element} */
    private long last() {
        long last = offset;
        for (int axis = 0; axis < shape.length; axis++) {
            last += (shape[axis] - 1) * strides[axis];
        }
        return last;
    }

    // ---------------------------------------------------------------- views

    /** {@return the view of indices {@code from} (inclusive) to {@code to} (exclusive) along one axis} */
    public Tensor slice(int axis, long from, long to) {
        int a = axis(axis);
        if (from < 0 || to > shape[a] || from >= to) {
            throw new InvalidInputException(
                    "The slice is outside axis " + a,
                    "0 <= from < to <= " + shape[a],
                    "from " + from + " to " + to,
                    "tensor.size(" + a + ") is " + shape[a]);
        }
        long[] sizes = shape.clone();
        sizes[a] = to - from;
        return new Tensor(segment, device, type, sizes, strides, offset + from * strides[a], null, scales);
    }

    /** {@return the view at one index of an axis, without that axis} */
    public Tensor select(int axis, long index) {
        int a = axis(axis);
        Tensor one = slice(a, index, index + 1);
        return new Tensor(segment, device, type, without(shape, a), without(strides, a), one.offset, null, scales);
    }

    /** {@return the view with two axes exchanged} */
    public Tensor transpose(int axis, int other) {
        int a = axis(axis);
        int b = axis(other);
        long[] sizes = shape.clone();
        long[] steps = strides.clone();
        sizes[a] = shape[b];
        sizes[b] = shape[a];
        steps[a] = strides[b];
        steps[b] = strides[a];
        return new Tensor(segment, device, type, sizes, steps, offset, null, scales);
    }

    /**
     * {@return the view with one axis of size {@code parts * rest} split into two axes of size {@code parts} and
     * {@code rest}}
     */
    public Tensor split(int axis, long parts) {
        int a = axis(axis);
        if (parts < 1 || shape[a] % parts != 0) {
            throw new InvalidInputException(
                    "Axis " + a + " cannot be cut into equal parts",
                    "a divisor of " + shape[a],
                    parts + " parts",
                    "check the number of heads");
        }
        long rest = shape[a] / parts;
        long[] sizes = with(shape, a, parts);
        sizes[a + 1] = rest;
        long[] steps = with(strides, a, strides[a] * rest);
        return new Tensor(segment, device, type, sizes, steps, offset, null, scales);
    }

    /** {@return the view with a new axis of size 1 at index {@code axis}; -1 adds it after the other axes} */
    public Tensor unsqueeze(int axis) {
        int a = axis < 0 ? axis + shape.length + 1 : axis;
        long[] sizes = with(shape, a, 1);
        long[] steps = with(strides, a, 0);
        return new Tensor(segment, device, type, sizes, steps, offset, null, scales);
    }

    /**
     * {@return the view broadcast to the given shape: axes of size 1 are repeated without a copy, missing leading axes are
     * added}
     */
    public Tensor expand(long... target) {
        bytes(type, target); // rejects sizes below 1 and shapes whose size in bytes exceeds a long
        int lead = target.length - shape.length;
        long[] steps = new long[target.length];
        boolean fits = lead >= 0;
        for (int axis = 0; fits && axis < target.length; axis++) {
            long size = axis < lead ? 1 : shape[axis - lead];
            fits = size == target[axis] || size == 1;
            steps[axis] = size == 1 ? 0 : strides[axis - lead];
        }
        if (!fits) {
            throw new InvalidInputException(
                    "The shape does not broadcast",
                    Arrays.toString(target) + ", or 1 in place of any size",
                    Arrays.toString(shape),
                    "use size 1 for every axis that is shared");
        }
        return new Tensor(segment, device, type, target.clone(), steps, offset, null, scales);
    }

    /** {@return the same elements in row-major order, in another shape} They are copied only if they are not contiguous. */
    public Tensor reshape(long... target) {
        if (bytes(type, target) / type.bytes() != elementCount()) {
            throw new InvalidInputException(
                    "The shapes have different numbers of elements",
                    elementCount() + " elements, as " + Arrays.toString(shape),
                    Arrays.toString(target),
                    "check the sizes");
        }
        Tensor whole = isContiguous() ? this : copy();
        return new Tensor(
                whole.segment, whole.device, type, target.clone(), rowMajor(target), whole.offset, null, whole.scales);
    }

    /** {@return a read-only view of the same elements} */
    public Tensor asReadOnly() {
        return new Tensor(host().asReadOnly(), null, type, shape, strides, offset, null, scales);
    }

    // ---------------------------------------------------------------- constants

    /**
     * {@return a constant: a view of the same elements, which the caller promises not to change} A backend may store its
     * own form of a constant, packed or on a device, while the constant is reachable. The weights of a trained model are
     * thus packed only once. Results are undefined if the promise is broken. Views of a constant are not constants.
     */
    public Tensor asConstant() {
        return isConstant()
                ? this
                : new Tensor(segment, device, type, shape, strides, offset, new ConcurrentHashMap<>(), scales);
    }

    /** {@return whether the elements are {@linkplain #asConstant() promised} not to change} */
    public boolean isConstant() {
        return forms != null;
    }

    /**
     * {@return a backend's own form of this tensor} The form of a {@linkplain #isConstant() constant} is made by the first
     * call and stored; for other tensors it is made at every call.
     *
     * @param form the class of the form, which identifies it
     * @param maker makes the form from the elements
     */
    public <T> T prepared(Class<T> form, Supplier<T> maker) {
        return forms == null ? maker.get() : form.cast(forms.computeIfAbsent(form, key -> maker.get()));
    }

    // ---------------------------------------------------------------- elements

    /** {@return the element at the index, converted to double} */
    public double get(long... index) {
        return at(position(index));
    }

    /** Like {@link #get(long...)}, without an index array. */
    public double get(long i) {
        return at(position(i));
    }

    /** Like {@link #get(long...)}, without an index array. */
    public double get(long i, long j) {
        return at(position(i, j));
    }

    /** Like {@link #get(long...)}, without an index array. */
    public double get(long i, long j, long k) {
        return at(position(i, j, k));
    }

    /** Like {@link #get(long...)}, without an index array. */
    public double get(long i, long j, long k, long l) {
        return at(position(i, j, k, l));
    }

    /** Sets the element at the index, rounded to this type. */
    public void set(double value, long... index) {
        put(position(index), value);
    }

    /** Like {@link #set(double, long...)}, without an index array. */
    public void set(double value, long i) {
        put(position(i), value);
    }

    /** Like {@link #set(double, long...)}, without an index array. */
    public void set(double value, long i, long j) {
        put(position(i, j), value);
    }

    /** Like {@link #set(double, long...)}, without an index array. */
    public void set(double value, long i, long j, long k) {
        put(position(i, j, k), value);
    }

    /** Like {@link #set(double, long...)}, without an index array. */
    public void set(double value, long i, long j, long k, long l) {
        put(position(i, j, k, l), value);
    }

    /** {@return the element at a position in {@link #segment}, counted in elements} */
    public double at(long position) {
        double element = type.load(host(), position * type.bytes());
        return scales == null ? element : element * scales.of(position);
    }

    /** Sets the element at a position in {@link #segment}, counted in elements. */
    public void put(long position, double value) {
        requireNumbers();
        type.store(host(), position * type.bytes(), value);
    }

    private void requireNumbers() {
        if (scales != null) {
            throw new InvalidInputException(
                    "The elements of a quantised tensor cannot be set",
                    "a tensor without scales",
                    toString(),
                    "write to tensor.to(DType.F32), then call quantized()");
        }
    }

    /** {@return the position of an index in {@link #segment}, in elements} */
    public long position(long... index) {
        if (index.length != shape.length) {
            throw new IndexOutOfBoundsException("expected " + shape.length + " indices, got " + Arrays.toString(index));
        }
        long position = offset;
        for (int axis = 0; axis < shape.length; axis++) {
            if (index[axis] < 0 || index[axis] >= shape[axis]) {
                throw new IndexOutOfBoundsException(
                        "index " + Arrays.toString(index) + " is outside " + Arrays.toString(shape));
            }
            position += index[axis] * strides[axis];
        }
        return position;
    }

    /** Like {@link #position(long...)}, without an index array. */
    public long position(long i) {
        boolean there = shape.length == 1 && inside(0, i);
        return there ? offset + i * strides[0] : position(new long[] {i});
    }

    /** Like {@link #position(long...)}, without an index array. */
    public long position(long i, long j) {
        boolean there = shape.length == 2 && inside(0, i) && inside(1, j);
        return there ? offset + i * strides[0] + j * strides[1] : position(new long[] {i, j});
    }

    /** Like {@link #position(long...)}, without an index array. */
    public long position(long i, long j, long k) {
        boolean there = shape.length == 3 && inside(0, i) && inside(1, j) && inside(2, k);
        return there ? offset + i * strides[0] + j * strides[1] + k * strides[2] : position(new long[] {i, j, k});
    }

    /** Like {@link #position(long...)}, without an index array. */
    public long position(long i, long j, long k, long l) {
        boolean there = shape.length == 4 && inside(0, i) && inside(1, j) && inside(2, k) && inside(3, l);
        return there
                ? offset + i * strides[0] + j * strides[1] + k * strides[2] + l * strides[3]
                : position(new long[] {i, j, k, l});
    }

    private boolean inside(int axis, long index) {
        return index >= 0 && index < shape[axis];
    }

    // ---------------------------------------------------------------- copies

    /** {@return the elements in row-major order, converted to double} */
    public double[] toDoubleArray() {
        double[] values = new double[Math.toIntExact(elementCount())];
        if (type == DType.F64 && isContiguous()) {
            MemorySegment.copy(segment, ValueLayout.JAVA_DOUBLE_UNALIGNED, offset * 8, values, 0, values.length);
            return values;
        }
        of(values, shape).copyFrom(this);
        return values;
    }

    /** {@return the elements in row-major order, rounded to f32} */
    public float[] toFloatArray() {
        float[] values = new float[Math.toIntExact(elementCount())];
        if (type == DType.F32 && isContiguous()) {
            MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT_UNALIGNED, offset * 4, values, 0, values.length);
            return values;
        }
        of(values, shape).copyFrom(this);
        return values;
    }

    /** {@return a contiguous copy of the same type} */
    public Tensor copy() {
        return to(type);
    }

    /** {@return a contiguous copy with another element type, each element rounded as by {@link DType#round}} */
    public Tensor to(DType target) {
        if (scales != null && target == DType.I8) {
            return quantized();
        }
        Tensor copy = zeros(target, shape);
        copy.copyFrom(this);
        return copy;
    }

    /** Copies every element of a tensor of the same shape, rounded to this tensor's type. */
    public void copyFrom(Tensor source) {
        requireNumbers();
        if (!Arrays.equals(shape, source.shape)) {
            throw new InvalidInputException(
                    "A copy needs equal shapes",
                    Arrays.toString(shape),
                    Arrays.toString(source.shape),
                    "expand(...) the source");
        }
        if (type == source.type && source.scales == null && isContiguous() && source.isContiguous()) {
            long bytes = elementCount() * type.bytes();
            MemorySegment.copy(source.host(), source.offset * type.bytes(), host(), offset * type.bytes(), bytes);
            return;
        }
        TensorCopy.copy(source, this);
    }

    /** Sets every element to the value, rounded to this type, and returns this tensor. */
    public Tensor fill(double value) {
        requireNumbers();
        if (Double.doubleToRawLongBits(value) == 0 && isContiguous()) {
            host().asSlice(offset * type.bytes(), elementCount() * type.bytes()).fill((byte) 0);
            return this;
        }
        TensorCopy.copy(of(new double[] {value}, 1).expand(shape), this);
        return this;
    }

    // ---------------------------------------------------------------- helpers

    private int axis(int axis) {
        return Objects.checkIndex(axis < 0 ? axis + shape.length : axis, shape.length);
    }

    private static long[] without(long[] values, int index) {
        long[] rest = new long[values.length - 1];
        System.arraycopy(values, 0, rest, 0, index);
        System.arraycopy(values, index + 1, rest, index, rest.length - index);
        return rest;
    }

    private static long[] with(long[] values, int index, long value) {
        long[] more = new long[values.length + 1];
        System.arraycopy(values, 0, more, 0, index);
        System.arraycopy(values, index, more, index + 1, values.length - index);
        more[index] = value;
        return more;
    }

    /** {@return type, shape and unusual properties of the memory, such as {@code f32 [2, 8, 128, 64] strided read-only}} */
    @Override
    public String toString() {
        return type.label() + " " + Arrays.toString(shape) + (isContiguous() ? "" : " strided")
                + (isReadOnly() ? " read-only" : "") + (isAlive() ? "" : " closed");
    }
}
