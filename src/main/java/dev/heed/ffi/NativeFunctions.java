// Written by src/generator/java/NativeSources.java; change that file and run it.
package dev.heed.ffi;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code native/heed.h}, with the names and the order of their parameters. The functions do not check their
 * arguments; {@link NativeKernels} checks them before each call.
 */
final class NativeFunctions {
    static final MethodHandle BF16_PRODUCT = NativeLink.function('v', "bf16_product", "pllllplllplli");
    static final MethodHandle BF16_TRANSPOSE = NativeLink.function('v', "bf16_transpose", "pllllipll");
    static final MethodHandle BF16_INTERLEAVE = NativeLink.function('i', "bf16_interleave", "pllllpll");
    static final MethodHandle BF16_PAIRS = NativeLink.function('v', "bf16_pairs", "plllpll");
    static final MethodHandle BF16_WIDEN = NativeLink.function('v', "bf16_widen", "pllpl");
    static final MethodHandle F16_WIDEN = NativeLink.function('v', "f16_widen", "pllpl");
    static final MethodHandle I8_WIDEN = NativeLink.function('v', "i8_widen", "pllfpl");
    static final MethodHandle BF16_NARROW = NativeLink.function('v', "bf16_narrow", "pllllpll");
    static final MethodHandle F16_NARROW = NativeLink.function('v', "f16_narrow", "pllpl");
    static final MethodHandle BF16_DOTS = NativeLink.function('v', "bf16_dots", "plllpllllllpll");
    static final MethodHandle F16_DOTS = NativeLink.function('v', "f16_dots", "plllpllllllpll");
    static final MethodHandle I8_DOTS = NativeLink.function('v', "i8_dots", "plplpllllllplllpll");
    static final MethodHandle BF16_POOL = NativeLink.function('v', "bf16_pool", "plllpllllllplli");
    static final MethodHandle F16_POOL = NativeLink.function('v', "f16_pool", "plllpllllllplli");
    static final MethodHandle I8_POOL = NativeLink.function('v', "i8_pool", "plllpllllllplllplli");

    private NativeFunctions() {}

    /** Calls {@code heed_bf16_product}. */
    static void bf16Product(
            MemorySegment a,
            long aOffset,
            long lda,
            long aPairStride,
            long rows,
            MemorySegment b,
            long bOffset,
            long lanes,
            long depth,
            MemorySegment c,
            long cOffset,
            long ldc,
            int accumulate) {
        try {
            BF16_PRODUCT.invokeExact(
                    a, aOffset, lda, aPairStride, rows, b, bOffset, lanes, depth, c, cOffset, ldc, accumulate);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_transpose}. */
    static void bf16Transpose(
            MemorySegment rows,
            long rowsOffset,
            long ldRows,
            long count,
            long depth,
            int negate,
            MemorySegment to,
            long toOffset,
            long lanes) {
        try {
            BF16_TRANSPOSE.invokeExact(rows, rowsOffset, ldRows, count, depth, negate, to, toOffset, lanes);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_interleave}. */
    static int bf16Interleave(
            MemorySegment rows,
            long rowsOffset,
            long ldRows,
            long count,
            long width,
            MemorySegment to,
            long toOffset,
            long ldTo) {
        try {
            return (int) BF16_INTERLEAVE.invokeExact(rows, rowsOffset, ldRows, count, width, to, toOffset, ldTo);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_pairs}. */
    static void bf16Pairs(
            MemorySegment tile, long tileOffset, long ldTile, long count, MemorySegment to, long toOffset, long lanes) {
        try {
            BF16_PAIRS.invokeExact(tile, tileOffset, ldTile, count, to, toOffset, lanes);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_widen}. */
    static void bf16Widen(MemorySegment from, long fromOffset, long count, MemorySegment to, long toOffset) {
        try {
            BF16_WIDEN.invokeExact(from, fromOffset, count, to, toOffset);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_f16_widen}. */
    static void f16Widen(MemorySegment from, long fromOffset, long count, MemorySegment to, long toOffset) {
        try {
            F16_WIDEN.invokeExact(from, fromOffset, count, to, toOffset);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_i8_widen}. */
    static void i8Widen(MemorySegment from, long fromOffset, long count, float scale, MemorySegment to, long toOffset) {
        try {
            I8_WIDEN.invokeExact(from, fromOffset, count, scale, to, toOffset);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_narrow}. */
    static void bf16Narrow(
            MemorySegment from,
            long fromOffset,
            long ldFrom,
            long rows,
            long count,
            MemorySegment to,
            long toOffset,
            long ldTo) {
        try {
            BF16_NARROW.invokeExact(from, fromOffset, ldFrom, rows, count, to, toOffset, ldTo);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_f16_narrow}. */
    static void f16Narrow(MemorySegment from, long fromOffset, long count, MemorySegment to, long toOffset) {
        try {
            F16_NARROW.invokeExact(from, fromOffset, count, to, toOffset);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_dots}. */
    static void bf16Dots(
            MemorySegment q,
            long qOffset,
            long ldq,
            long rows,
            MemorySegment k,
            long kOffset,
            long ldk,
            long runStride,
            long runs,
            long count,
            long depth,
            MemorySegment s,
            long sOffset,
            long lds) {
        try {
            BF16_DOTS.invokeExact(
                    q, qOffset, ldq, rows, k, kOffset, ldk, runStride, runs, count, depth, s, sOffset, lds);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_f16_dots}. */
    static void f16Dots(
            MemorySegment q,
            long qOffset,
            long ldq,
            long rows,
            MemorySegment k,
            long kOffset,
            long ldk,
            long runStride,
            long runs,
            long count,
            long depth,
            MemorySegment s,
            long sOffset,
            long lds) {
        try {
            F16_DOTS.invokeExact(
                    q, qOffset, ldq, rows, k, kOffset, ldk, runStride, runs, count, depth, s, sOffset, lds);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_i8_dots}. */
    static void i8Dots(
            MemorySegment q,
            long qOffset,
            MemorySegment units,
            long rows,
            MemorySegment k,
            long kOffset,
            long ldk,
            long runStride,
            long runs,
            long count,
            long depth,
            MemorySegment scales,
            long scalesOffset,
            long scalesStride,
            long scalesRunStride,
            MemorySegment s,
            long sOffset,
            long lds) {
        try {
            I8_DOTS.invokeExact(
                    q,
                    qOffset,
                    units,
                    rows,
                    k,
                    kOffset,
                    ldk,
                    runStride,
                    runs,
                    count,
                    depth,
                    scales,
                    scalesOffset,
                    scalesStride,
                    scalesRunStride,
                    s,
                    sOffset,
                    lds);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_bf16_pool}. */
    static void bf16Pool(
            MemorySegment w,
            long wOffset,
            long ldw,
            long rows,
            MemorySegment v,
            long vOffset,
            long ldv,
            long runStride,
            long runs,
            long count,
            long width,
            MemorySegment c,
            long cOffset,
            long ldc,
            int skip) {
        try {
            BF16_POOL.invokeExact(
                    w, wOffset, ldw, rows, v, vOffset, ldv, runStride, runs, count, width, c, cOffset, ldc, skip);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_f16_pool}. */
    static void f16Pool(
            MemorySegment w,
            long wOffset,
            long ldw,
            long rows,
            MemorySegment v,
            long vOffset,
            long ldv,
            long runStride,
            long runs,
            long count,
            long width,
            MemorySegment c,
            long cOffset,
            long ldc,
            int skip) {
        try {
            F16_POOL.invokeExact(
                    w, wOffset, ldw, rows, v, vOffset, ldv, runStride, runs, count, width, c, cOffset, ldc, skip);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }

    /** Calls {@code heed_i8_pool}. */
    static void i8Pool(
            MemorySegment w,
            long wOffset,
            long ldw,
            long rows,
            MemorySegment v,
            long vOffset,
            long ldv,
            long runStride,
            long runs,
            long count,
            long width,
            MemorySegment scales,
            long scalesOffset,
            long scalesStride,
            long scalesRunStride,
            MemorySegment c,
            long cOffset,
            long ldc,
            int skip) {
        try {
            I8_POOL.invokeExact(
                    w,
                    wOffset,
                    ldw,
                    rows,
                    v,
                    vOffset,
                    ldv,
                    runStride,
                    runs,
                    count,
                    width,
                    scales,
                    scalesOffset,
                    scalesStride,
                    scalesRunStride,
                    c,
                    cOffset,
                    ldc,
                    skip);
        } catch (Throwable e) {
            throw NativeLink.unexpected(e);
        }
    }
}
