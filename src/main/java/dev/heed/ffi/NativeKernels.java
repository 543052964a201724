package dev.heed.ffi;

import java.lang.foreign.MemorySegment;

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
        NativeFunctions.bf16Product(
                a,
                aOffset,
                aRowStride,
                aDepthStride,
                rows,
                b,
                bOffset,
                lanes,
                depth,
                c,
                cOffset,
                cRowStride,
                onto ? 1 : 0);
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
        NativeFunctions.bf16Transpose(rows, at, row, count, depth, negate ? 1 : 0, to, toOffset, lanes);
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
        return NativeFunctions.bf16Interleave(rows, at, row, count, width, to, toOffset, toRowStride) != 0;
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
        NativeFunctions.bf16Pairs(tile, at, row, count, to, toOffset, lanes);
    }

    /** Converts {@code count} contiguous bf16 elements to f32. */
    public static void bf16Widen(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Short.BYTES, at, 0, 1, 0, 1, count);
        check(to, Float.BYTES, toOffset, 0, 1, 0, 1, count);
        NativeFunctions.bf16Widen(from, at, count, to, toOffset);
    }

    /** Converts {@code count} contiguous f16 elements to f32. */
    public static void f16Widen(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Short.BYTES, at, 0, 1, 0, 1, count);
        check(to, Float.BYTES, toOffset, 0, 1, 0, 1, count);
        NativeFunctions.f16Widen(from, at, count, to, toOffset);
    }

    /** Converts {@code count} contiguous int8 elements to f32, multiplied by a scale. */
    public static void i8Widen(MemorySegment from, long at, int count, float scale, MemorySegment to, long toOffset) {
        check(from, Byte.BYTES, at, 0, 1, 0, 1, count);
        check(to, Float.BYTES, toOffset, 0, 1, 0, 1, count);
        NativeFunctions.i8Widen(from, at, count, scale, to, toOffset);
    }

    /** Rounds {@code rows} rows of {@code count} contiguous f32 elements to bf16, to nearest, ties to even. */
    public static void bf16Narrow(
            MemorySegment from,
            long at,
            long row,
            int rows,
            int count,
            MemorySegment to,
            long toOffset,
            long toRowStride) {
        if (rows < 1 || count < 1) {
            return;
        }
        check(from, Float.BYTES, at, row, rows, 0, 1, count);
        check(to, Short.BYTES, toOffset, toRowStride, rows, 0, 1, count);
        NativeFunctions.bf16Narrow(from, at, row, rows, count, to, toOffset, toRowStride);
    }

    /** Rounds {@code count} f32 elements to f16, to nearest, ties to even. */
    public static void f16Narrow(MemorySegment from, long at, int count, MemorySegment to, long toOffset) {
        check(from, Float.BYTES, at, 0, 1, 0, 1, count);
        check(to, Short.BYTES, toOffset, 0, 1, 0, 1, count);
        NativeFunctions.f16Narrow(from, at, count, to, toOffset);
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
        NativeFunctions.bf16Dots(
                q,
                qOffset,
                qRowStride,
                rows,
                k.data,
                k.at,
                k.row,
                k.runStride,
                k.runs,
                k.count,
                depth,
                s,
                sOffset,
                sRowStride);
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
        NativeFunctions.f16Dots(
                q,
                qOffset,
                qRowStride,
                rows,
                k.data,
                k.at,
                k.row,
                k.runStride,
                k.runs,
                k.count,
                depth,
                s,
                sOffset,
                sRowStride);
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
        NativeFunctions.i8Dots(
                q,
                qOffset,
                units,
                rows,
                k.data,
                k.at,
                k.row,
                k.runStride,
                k.runs,
                k.count,
                depth,
                scales.data,
                scales.at,
                scales.step,
                scales.runStride,
                s,
                sOffset,
                sRowStride);
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
        NativeFunctions.bf16Pool(
                w,
                wOffset,
                wRowStride,
                rows,
                v.data,
                v.at,
                v.row,
                v.runStride,
                v.runs,
                v.count,
                width,
                c,
                cOffset,
                cRowStride,
                skip ? 1 : 0);
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
        NativeFunctions.f16Pool(
                w,
                wOffset,
                wRowStride,
                rows,
                v.data,
                v.at,
                v.row,
                v.runStride,
                v.runs,
                v.count,
                width,
                c,
                cOffset,
                cRowStride,
                skip ? 1 : 0);
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
        NativeFunctions.i8Pool(
                w,
                wOffset,
                wRowStride,
                rows,
                v.data,
                v.at,
                v.row,
                v.runStride,
                v.runs,
                v.count,
                width,
                scales.data,
                scales.at,
                scales.step,
                scales.runStride,
                c,
                cOffset,
                cRowStride,
                skip ? 1 : 0);
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
}
