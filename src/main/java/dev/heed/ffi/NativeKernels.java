package dev.heed.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import java.util.Optional;

/**
 * Java methods that call the functions of {@code native/heed.h}. Each method first checks that the call accesses only elements
 * within the given segments. Offsets and strides are in elements. The methods may be called if {@link NativeLibrary#reasons} is
 * empty.
 *
 * <p>Calls use {@code Linker.Option.critical}: heap arrays are passed without a copy, and the garbage collector waits until the
 * call returns. So one call computes only a tile, not a whole problem.
 */
public final class NativeKernels {
    /** The maximum number of queries or columns in a panel. */
    public static final int LANES = 64;

    /** The number of bytes that represent an element of a query in scores with int8 keys. */
    public static final int LIMBS = 3;

    /** The maximum length of int8 rows in elements; dot products of longer rows could overflow 32 bits. */
    public static final int MOST_BYTES = 65_536;

    /**
     * The functions and their parameters, as in the table of {@code native/README.md}: p is a pointer, l a 64-bit integer, i a
     * 32-bit integer, f a float. {@code bf16_interleave} returns an i, the others nothing.
     */
    static final Map<String, String> SIGNATURES = Map.ofEntries(
            Map.entry("bf16_product", "pllllplllplli"),
            Map.entry("bf16_transpose", "pllllipll"),
            Map.entry("bf16_interleave", "pllllpll"),
            Map.entry("bf16_pairs", "plllpll"),
            Map.entry("bf16_widen", "pllpl"),
            Map.entry("f16_widen", "pllpl"),
            Map.entry("i8_widen", "pllfpl"),
            Map.entry("bf16_narrow", "pllpl"),
            Map.entry("f16_narrow", "pllpl"),
            Map.entry("bf16_dots", "plllpllllllpll"),
            Map.entry("f16_dots", "plllpllllllpll"),
            Map.entry("i8_dots", "plplpllllllplllpll"),
            Map.entry("bf16_pool", "plllpllllllplli"),
            Map.entry("f16_pool", "plllpllllllplli"),
            Map.entry("i8_pool", "plllpllllllplllplli"));

    private static final MethodHandle BF16_PRODUCT = link("bf16_product");
    private static final MethodHandle BF16_TRANSPOSE = link("bf16_transpose");
    private static final MethodHandle BF16_INTERLEAVE = link("bf16_interleave");
    private static final MethodHandle BF16_PAIRS = link("bf16_pairs");
    private static final MethodHandle BF16_WIDEN = link("bf16_widen");
    private static final MethodHandle F16_WIDEN = link("f16_widen");
    private static final MethodHandle I8_WIDEN = link("i8_widen");
    private static final MethodHandle BF16_NARROW = link("bf16_narrow");
    private static final MethodHandle F16_NARROW = link("f16_narrow");
    private static final MethodHandle BF16_DOTS = link("bf16_dots");
    private static final MethodHandle F16_DOTS = link("f16_dots");
    private static final MethodHandle I8_DOTS = link("i8_dots");
    private static final MethodHandle BF16_POOL = link("bf16_pool");
    private static final MethodHandle F16_POOL = link("f16_pool");
    private static final MethodHandle I8_POOL = link("i8_pool");

    private NativeKernels() {}

    /** {@return whether kernels support panels with this number of lanes} */
    public static boolean takesPanels(int lanes) {
        return lanes == 16 || lanes == 32 || lanes == LANES;
    }

    private static void checkLanes(int lanes) {
        if (!takesPanels(lanes)) {
            throw new IndexOutOfBoundsException(lanes + " lanes of a panel, expected 16, 32 or " + LANES);
        }
    }

    /**
     * Rows in memory: {@code runs} runs of {@code count} rows. Element {@code d} of row {@code j} of run {@code n} is at
     * {@code at + n runStride + j row + d}.
     */
    public record Runs(MemorySegment data, long at, long row, long runStride, int runs, int count) {}

    /** One scale for each row of {@link Runs}: the scale of row {@code j} of run {@code n} is at {@code at + n runStride + j step}. */
    public record Scales(MemorySegment data, long at, long step, long runStride) {}

    /**
     * Computes {@code c = a b}, or {@code c += a b} if {@code onto} is true. Pair {@code k} of row {@code r} of a, two adjacent
     * bf16 elements, is at {@code aOffset + r aRowStride + k aDepthStride}; if {@code depth} is odd, the last pair of a row is
     * one element. b is a panel of pairs, {@code lanes} pairs for every two elements of depth. A row of c has {@code lanes}
     * floats.
     */
    public static void bf16Product(
            MemorySegment a,
            long aOffset,
            long aRowStride,
            long aDepthStride,
            int rows,
            MemorySegment b,
            long bOffset,
            int lanes,
            int depth,
            MemorySegment c,
            long cOffset,
            long cRowStride,
            boolean onto) {
        checkLanes(lanes);
        if (rows < 1 || depth < 1) {
            return;
        }
        int whole = depth / 2;
        if (whole > 0) {
            check(a, Short.BYTES, aOffset, aRowStride, rows, aDepthStride, whole, 2);
        }
        if (depth % 2 != 0) {
            check(
                    a,
                    Short.BYTES,
                    Math.addExact(aOffset, Math.multiplyExact(whole, aDepthStride)),
                    aRowStride,
                    rows,
                    0,
                    1,
                    1);
        }
        check(b, Short.BYTES, bOffset, 0, 1, 0, 1, pairs(depth) * 2 * lanes);
        check(c, Float.BYTES, cOffset, cRowStride, rows, 0, 1, lanes);
        try {
            BF16_PRODUCT.invokeExact(
                    a,
                    aOffset,
                    aRowStride,
                    aDepthStride,
                    (long) rows,
                    b,
                    bOffset,
                    (long) lanes,
                    (long) depth,
                    c,
                    cOffset,
                    cRowStride,
                    onto ? 1 : 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Transposes {@code count} rows of {@code depth} elements, negated if {@code negate} is true, into the first lanes of a panel
     * of pairs. The other lanes become 0.
     */
    public static void bf16Transpose(
            MemorySegment rows,
            long at,
            long row,
            int count,
            int depth,
            boolean negate,
            MemorySegment to,
            long toOffset,
            int lanes) {
        checkLanes(lanes);
        if (count < 1 || count > lanes || depth < 1) {
            throw new IndexOutOfBoundsException(count + " rows of " + depth + " for " + lanes + " lanes");
        }
        check(rows, Short.BYTES, at, row, count, 0, 1, depth);
        check(to, Short.BYTES, toOffset, 0, 1, 0, 1, pairs(depth) * 2 * lanes);
        try {
            BF16_TRANSPOSE.invokeExact(
                    rows, at, row, (long) count, (long) depth, negate ? 1 : 0, to, toOffset, (long) lanes);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Interleaves rows {@code 2 t} and {@code 2 t + 1} into one row of pairs. If {@code count} is odd, the last row is
     * interleaved with zeros. Returns whether all elements are finite.
     */
    public static boolean bf16Interleave(
            MemorySegment rows,
            long at,
            long row,
            int count,
            int width,
            MemorySegment to,
            long toOffset,
            long toRowStride) {
        if (count < 1 || width < 1) {
            return true;
        }
        check(rows, Short.BYTES, at, row, count, 0, 1, width);
        check(to, Short.BYTES, toOffset, toRowStride, pairs(count), 0, 1, 2L * width);
        try {
            return (int) BF16_INTERLEAVE.invokeExact(
                            rows, at, row, (long) count, (long) width, to, toOffset, toRowStride)
                    != 0;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Rounds rows of weights to bf16 and interleaves rows {@code 2 t} and {@code 2 t + 1} into one row of pairs. If {@code count}
     * is odd, the last row is interleaved with zeros.
     */
    public static void bf16Pairs(
            MemorySegment tile, long at, long row, int count, MemorySegment to, long toOffset, int lanes) {
        checkLanes(lanes);
        if (count < 1) {
            return;
        }
        check(tile, Float.BYTES, at, row, count, 0, 1, lanes);
        check(to, Short.BYTES, toOffset, 0, 1, 0, 1, pairs(count) * 2 * lanes);
        try {
            BF16_PAIRS.invokeExact(tile, at, row, (long) count, to, toOffset, (long) lanes);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Converts {@code count} contiguous bf16 elements to f32. */
    public static void bf16Widen(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Short.BYTES, at, 0, 1, 0, 1, count);
        check(to, Float.BYTES, toOffset, 0, 1, 0, 1, count);
        try {
            BF16_WIDEN.invokeExact(from, at, (long) count, to, toOffset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Converts {@code count} contiguous f16 elements to f32. */
    public static void f16Widen(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Short.BYTES, at, 0, 1, 0, 1, count);
        check(to, Float.BYTES, toOffset, 0, 1, 0, 1, count);
        try {
            F16_WIDEN.invokeExact(from, at, (long) count, to, toOffset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Converts {@code count} contiguous int8 elements to f32, multiplied by a scale. */
    public static void i8Widen(MemorySegment from, long at, int count, float scale, MemorySegment to, long toOffset) {
        check(from, Byte.BYTES, at, 0, 1, 0, 1, count);
        check(to, Float.BYTES, toOffset, 0, 1, 0, 1, count);
        try {
            I8_WIDEN.invokeExact(from, at, (long) count, scale, to, toOffset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Rounds {@code count} f32 elements to bf16, to nearest, ties to even. */
    public static void bf16Narrow(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Float.BYTES, at, 0, 1, 0, 1, count);
        check(to, Short.BYTES, toOffset, 0, 1, 0, 1, count);
        try {
            BF16_NARROW.invokeExact(from, at, (long) count, to, toOffset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Rounds {@code count} f32 elements to f16, to nearest, ties to even. */
    public static void f16Narrow(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Float.BYTES, at, 0, 1, 0, 1, count);
        check(to, Short.BYTES, toOffset, 0, 1, 0, 1, count);
        try {
            F16_NARROW.invokeExact(from, at, (long) count, to, toOffset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Computes {@code s[r][n count + j] = q_r . k_nj} for bf16 queries and keys; {@code k_nj} is row j of run n. */
    public static void bf16Dots(
            MemorySegment q,
            long qOffset,
            long qRowStride,
            int rows,
            Runs k,
            int depth,
            MemorySegment s,
            long sOffset,
            long sRowStride) {
        checkDots(q, Short.BYTES, qOffset, qRowStride, rows, k, Short.BYTES, depth, s, sOffset, sRowStride);
        try {
            BF16_DOTS.invokeExact(
                    q,
                    qOffset,
                    qRowStride,
                    (long) rows,
                    k.data,
                    k.at,
                    k.row,
                    k.runStride,
                    (long) k.runs,
                    (long) k.count,
                    (long) depth,
                    s,
                    sOffset,
                    sRowStride);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Computes {@code s[r][n count + j] = q_r . k_nj} for f32 queries and f16 keys; {@code k_nj} is row j of run n. */
    public static void f16Dots(
            MemorySegment q,
            long qOffset,
            long qRowStride,
            int rows,
            Runs k,
            int depth,
            MemorySegment s,
            long sOffset,
            long sRowStride) {
        checkDots(q, Float.BYTES, qOffset, qRowStride, rows, k, Short.BYTES, depth, s, sOffset, sRowStride);
        try {
            F16_DOTS.invokeExact(
                    q,
                    qOffset,
                    qRowStride,
                    (long) rows,
                    k.data,
                    k.at,
                    k.row,
                    k.runStride,
                    (long) k.runs,
                    (long) k.count,
                    (long) depth,
                    s,
                    sOffset,
                    sRowStride);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Computes {@code s[r][n count + j] = units[r] scale_nj (l2 2^16 + l1 2^8 + l0) . k_nj} for int8 keys; {@code k_nj} is row j
     * of run n. A query is {@link #LIMBS} contiguous rows of signed bytes: l0 (the lowest), l1 and l2.
     */
    public static void i8Dots(
            MemorySegment q,
            long qOffset,
            MemorySegment units,
            int rows,
            Runs k,
            int depth,
            Scales scales,
            MemorySegment s,
            long sOffset,
            long sRowStride) {
        if (depth > MOST_BYTES) {
            throw new IndexOutOfBoundsException(depth + " bytes in a row, at most " + MOST_BYTES);
        }
        checkDots(
                q,
                Byte.BYTES,
                qOffset,
                (long) LIMBS * depth,
                rows,
                k,
                Byte.BYTES,
                LIMBS * depth,
                depth,
                s,
                sOffset,
                sRowStride);
        check(units, Float.BYTES, 0, 0, 1, 0, 1, rows);
        check(scales.data, Float.BYTES, scales.at, scales.runStride, k.runs, scales.step, k.count, 1);
        try {
            I8_DOTS.invokeExact(
                    q,
                    qOffset,
                    units,
                    (long) rows,
                    k.data,
                    k.at,
                    k.row,
                    k.runStride,
                    (long) k.runs,
                    (long) k.count,
                    (long) depth,
                    scales.data,
                    scales.at,
                    scales.step,
                    scales.runStride,
                    s,
                    sOffset,
                    sRowStride);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Computes {@code c[r][d] += sum over n and j of w[r][n count + j] v_nj[d]} for bf16 values; {@code v_nj} is row j of run n.
     * If {@code skip} is true, a value whose weight is 0 is not read.
     */
    public static void bf16Pool(
            MemorySegment w,
            long wOffset,
            long wRowStride,
            int rows,
            Runs v,
            int width,
            MemorySegment c,
            long cOffset,
            long cRowStride,
            boolean skip) {
        checkPool(w, wOffset, wRowStride, rows, v, Short.BYTES, width, c, cOffset, cRowStride);
        try {
            BF16_POOL.invokeExact(
                    w,
                    wOffset,
                    wRowStride,
                    (long) rows,
                    v.data,
                    v.at,
                    v.row,
                    v.runStride,
                    (long) v.runs,
                    (long) v.count,
                    (long) width,
                    c,
                    cOffset,
                    cRowStride,
                    skip ? 1 : 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Like {@link #bf16Pool}, for f16 values. */
    public static void f16Pool(
            MemorySegment w,
            long wOffset,
            long wRowStride,
            int rows,
            Runs v,
            int width,
            MemorySegment c,
            long cOffset,
            long cRowStride,
            boolean skip) {
        checkPool(w, wOffset, wRowStride, rows, v, Short.BYTES, width, c, cOffset, cRowStride);
        try {
            F16_POOL.invokeExact(
                    w,
                    wOffset,
                    wRowStride,
                    (long) rows,
                    v.data,
                    v.at,
                    v.row,
                    v.runStride,
                    (long) v.runs,
                    (long) v.count,
                    (long) width,
                    c,
                    cOffset,
                    cRowStride,
                    skip ? 1 : 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Like {@link #bf16Pool}, for int8 values, each multiplied by the scale of its row. */
    public static void i8Pool(
            MemorySegment w,
            long wOffset,
            long wRowStride,
            int rows,
            Runs v,
            int width,
            Scales scales,
            MemorySegment c,
            long cOffset,
            long cRowStride,
            boolean skip) {
        checkPool(w, wOffset, wRowStride, rows, v, Byte.BYTES, width, c, cOffset, cRowStride);
        check(scales.data, Float.BYTES, scales.at, scales.runStride, v.runs, scales.step, v.count, 1);
        try {
            I8_POOL.invokeExact(
                    w,
                    wOffset,
                    wRowStride,
                    (long) rows,
                    v.data,
                    v.at,
                    v.row,
                    v.runStride,
                    (long) v.runs,
                    (long) v.count,
                    (long) width,
                    scales.data,
                    scales.at,
                    scales.step,
                    scales.runStride,
                    c,
                    cOffset,
                    cRowStride,
                    skip ? 1 : 0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    // ---------------------------------------------------------------- checks

    private static long pairs(long count) {
        return (count + 1) / 2;
    }

    private static void checkDots(
            MemorySegment q,
            int qBytes,
            long qOffset,
            long qRowStride,
            int rows,
            Runs k,
            int kBytes,
            int depth,
            MemorySegment s,
            long sOffset,
            long sRowStride) {
        checkDots(q, qBytes, qOffset, qRowStride, rows, k, kBytes, depth, depth, s, sOffset, sRowStride);
    }

    private static void checkDots(
            MemorySegment q,
            int qBytes,
            long qOffset,
            long qRowStride,
            int rows,
            Runs k,
            int kBytes,
            int qLength,
            int depth,
            MemorySegment s,
            long sOffset,
            long sRowStride) {
        check(q, qBytes, qOffset, qRowStride, rows, 0, 1, qLength);
        check(k.data, kBytes, k.at, k.runStride, k.runs, k.row, k.count, depth);
        check(s, Float.BYTES, sOffset, sRowStride, rows, 0, 1, (long) k.runs * k.count);
    }

    private static void checkPool(
            MemorySegment w,
            long wOffset,
            long wRowStride,
            int rows,
            Runs v,
            int bytes,
            int width,
            MemorySegment c,
            long cOffset,
            long cRowStride) {
        check(w, Float.BYTES, wOffset, wRowStride, rows, 0, 1, (long) v.runs * v.count);
        check(v.data, bytes, v.at, v.runStride, v.runs, v.row, v.count, width);
        check(c, Float.BYTES, cOffset, cRowStride, rows, 0, 1, width);
    }

    /**
     * Throws an exception unless {@code outer} times {@code inner} runs of {@code length} consecutive elements are all within the
     * segment. Run {@code (o, i)} starts at element {@code at + o outerStep + i innerStep}. {@code bytes} is the size of an
     * element.
     */
    private static void check(
            MemorySegment segment,
            int bytes,
            long at,
            long outerStep,
            long outer,
            long innerStep,
            long inner,
            long length) {
        long first = at;
        long last = at;
        boolean fits = outer >= 1 && inner >= 1 && length >= 0;
        if (fits) {
            long out = Math.multiplyExact(outer - 1, outerStep);
            long in = Math.multiplyExact(inner - 1, innerStep);
            first = Math.addExact(at, Math.addExact(Math.min(0, out), Math.min(0, in)));
            last = Math.addExact(Math.addExact(at, length), Math.addExact(Math.max(0, out), Math.max(0, in)));
            fits = first >= 0 && last <= segment.byteSize() / bytes;
        }
        if (!fits) {
            throw new IndexOutOfBoundsException("elements " + first + " to " + last + " (" + outer + " by " + inner
                    + " runs of " + length + ") of a segment of " + segment.byteSize() / bytes);
        }
    }

    // ---------------------------------------------------------------- binding

    static FunctionDescriptor descriptor(String name, String parameters) {
        MemoryLayout[] layouts = parameters
                .chars()
                .mapToObj(letter -> switch (letter) {
                    case 'p' -> ADDRESS;
                    case 'l' -> JAVA_LONG;
                    case 'i' -> JAVA_INT;
                    case 'f' -> JAVA_FLOAT;
                    default -> throw new IllegalArgumentException(parameters);
                })
                .toArray(MemoryLayout[]::new);
        return name.startsWith("bf16_interleave")
                ? FunctionDescriptor.of(JAVA_INT, layouts)
                : FunctionDescriptor.ofVoid(layouts);
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(String name) {
        FunctionDescriptor signature = descriptor(name, SIGNATURES.getOrDefault(name, ""));
        SymbolLookup symbols = NativeLibrary.loaded().symbols();
        Optional<MemorySegment> address = symbols == null ? Optional.empty() : symbols.find("heed_" + name);
        if (address.isPresent()) {
            return Linker.nativeLinker().downcallHandle(address.get(), signature, Linker.Option.critical(true));
        }
        String missing = String.join("; ", NativeLibrary.reasons());
        MethodHandle fails = MethodHandles.throwException(
                        signature.toMethodType().returnType(), UnsupportedOperationException.class)
                .bindTo(new UnsupportedOperationException(missing.isEmpty() ? "no heed_" + name : missing));
        return MethodHandles.dropArguments(fails, 0, signature.toMethodType().parameterList());
    }

    private static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException known) {
            return known;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException("a native call threw a checked exception", e);
    }
}
