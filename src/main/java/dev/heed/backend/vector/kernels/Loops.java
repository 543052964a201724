package dev.heed.backend.vector.kernels;

import dev.heed.Activation;
import org.jspecify.annotations.Nullable;

/**
 * Entry points of the inner loops: each calls vector code, or plain Java if {@link Lanes#SCALAR}. The condition is a
 * constant, so compiled code has no branch. Some loops exist only as vector code; {@link #narrow} and
 * {@link #transposesBlocks} report whether they may be called. Classes with vector types are not loaded if the Vector API
 * is absent.
 */
public final class Loops {
    /**
     * Floats of scratch memory for the softmax of a row: one vector of sums, one vector of maxima, and two vectors for the
     * tail of each of two rows.
     */
    public static final int ROW_ROOM = 6 * Lanes.V;

    private Loops() {}

    public static void product(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        if (Lanes.SCALAR) {
            ScalarKernel.product(
                    a,
                    aOffset,
                    aRowStride,
                    aDepthStride,
                    rows,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset,
                    cRowStride);
        } else {
            MicroKernel.product(
                    a,
                    aOffset,
                    aRowStride,
                    aDepthStride,
                    rows,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset,
                    cRowStride);
        }
    }

    public static void accumulate(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        if (Lanes.SCALAR) {
            ScalarKernel.accumulate(
                    a,
                    aOffset,
                    aRowStride,
                    aDepthStride,
                    rows,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset,
                    cRowStride);
        } else {
            MicroKernel.accumulate(
                    a,
                    aOffset,
                    aRowStride,
                    aDepthStride,
                    rows,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset,
                    cRowStride);
        }
    }

    /** Whether {@link #narrowProduct} and {@link #readRun} may be called; plain loops support whole panels only. */
    public static boolean narrow() {
        return !Lanes.SCALAR;
    }

    public static void narrowProduct(
            boolean onto,
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        NarrowKernel.product(
                onto, a, aOffset, aRowStride, aDepthStride, rows, b, bOffset, depth, c, cOffset, cRowStride);
    }

    public static boolean readRun(float[] tile, int lane, int from, int to, float c, float[] statistics) {
        return SoftmaxTile.readRun(tile, lane, from, to, c, statistics);
    }

    public static boolean read(float[] tile, int keys, float c, float[] statistics) {
        return Lanes.SCALAR ? ScalarTile.read(tile, keys, c, statistics) : SoftmaxTile.read(tile, keys, c, statistics);
    }

    public static boolean raiseMaxima(float[] tile, int at, int keys, float c, float[] statistics) {
        return Lanes.SCALAR
                ? ScalarTile.raiseMaxima(tile, at, keys, c, statistics)
                : SoftmaxTile.raiseMaxima(tile, at, keys, c, statistics);
    }

    public static void weigh(float[] tile, int at, int keys, float c, float[] statistics) {
        if (Lanes.SCALAR) {
            ScalarTile.weigh(tile, at, keys, c, statistics);
        } else {
            SoftmaxTile.weigh(tile, at, keys, c, statistics);
        }
    }

    public static void finish(float[] tile, int at, int keys, float c, float[] statistics) {
        if (Lanes.SCALAR) {
            ScalarTile.finish(tile, at, keys, c, statistics);
        } else {
            SoftmaxTile.finish(tile, at, keys, c, statistics);
        }
    }

    public static void scale(float[] tile, int at, int keys, float scale) {
        if (Lanes.SCALAR) {
            ScalarTile.scale(tile, at, keys, scale);
        } else {
            ScoreTile.scale(tile, at, keys, scale);
        }
    }

    public static void softcap(float[] scores, int at, int count, float cap) {
        if (Lanes.SCALAR) {
            ScalarTile.softcap(scores, at, count, cap);
        } else {
            ScoreTile.softcap(scores, at, count, cap);
        }
    }

    public static void subtractDistances(float slope, float[] tile, int at, float first, int keys) {
        if (Lanes.SCALAR) {
            ScalarTile.subtractDistances(slope, tile, at, first, keys);
        } else {
            ScoreTile.subtractDistances(slope, tile, at, first, keys);
        }
    }

    public static void multiplyDerivatives(float[] gradients, int at, float[] capped, int keys, float inverse) {
        if (Lanes.SCALAR) {
            ScalarTile.multiplyDerivatives(gradients, at, capped, keys, inverse);
        } else {
            ScoreTile.multiplyDerivatives(gradients, at, capped, keys, inverse);
        }
    }

    public static void rescale(float[] sums, int width, float[] statistics) {
        if (Lanes.SCALAR) {
            ScalarTile.rescale(sums, width, statistics);
        } else {
            PanelTile.rescale(sums, width, statistics);
        }
    }

    public static boolean finite(float[] values, int from, int step, int keys, int width) {
        return Lanes.SCALAR
                ? ScalarTile.finite(values, from, step, keys, width)
                : PanelTile.finite(values, from, step, keys, width);
    }

    public static void poolAttended(
            float[] values, int from, int step, int keys, int width, float[] tile, int at, float[] sums) {
        if (Lanes.SCALAR) {
            ScalarTile.poolAttended(values, from, step, keys, width, tile, at, sums);
        } else {
            PanelTile.poolAttended(values, from, step, keys, width, tile, at, sums);
        }
    }

    public static void addWeighted(float[] weights, float[] gradients, int at, int keys, float[] deltas) {
        if (Lanes.SCALAR) {
            ScalarTile.addWeighted(weights, gradients, at, keys, deltas);
        } else {
            GradientTile.addWeighted(weights, gradients, at, keys, deltas);
        }
    }

    public static void normalise(float[] weights, int at, int keys, float[] statistics) {
        if (Lanes.SCALAR) {
            ScalarTile.normalise(weights, at, keys, statistics);
        } else {
            GradientTile.normalise(weights, at, keys, statistics);
        }
    }

    public static void scoreGradients(
            float[] weights, float[] gradients, int at, float[] deltas, float[] statistics, int keys) {
        if (Lanes.SCALAR) {
            ScalarTile.scoreGradients(weights, gradients, at, deltas, statistics, keys);
        } else {
            GradientTile.scoreGradients(weights, gradients, at, deltas, statistics, keys);
        }
    }

    public static void clearMasked(float[] weights, float[] gradients, int at, int keys) {
        if (Lanes.SCALAR) {
            ScalarTile.clearMasked(weights, gradients, at, keys);
        } else {
            GradientTile.clearMasked(weights, gradients, at, keys);
        }
    }

    public static void finishLinear(
            Activation activation, float @Nullable [] bias, int from, float[] x, int at, int step, int rows) {
        if (Lanes.SCALAR) {
            ScalarTile.finishLinear(activation, bias, from, x, at, step, rows);
        } else {
            LinearTile.finish(activation, bias, from, x, at, step, rows);
        }
    }

    public static void scores(
            float[] q,
            int qOffset,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] scores,
            int at,
            float[] lanes) {
        if (Lanes.SCALAR) {
            ScalarRow.scores(q, qOffset, width, keys, keysOffset, step, count, scores, at, lanes);
        } else {
            DotRow.scores(q, qOffset, width, keys, keysOffset, step, count, scores, at, lanes);
        }
    }

    public static void scoresOfRuns(
            float[] q,
            int qOffset,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int runStride,
            int count,
            float[] scores,
            int at,
            float[] lanes) {
        if (Lanes.SCALAR) {
            ScalarRow.scoresOfRuns(q, qOffset, width, keys, keysOffset, step, runStride, count, scores, at, lanes);
        } else {
            DotRow.scoresOfRuns(q, qOffset, width, keys, keysOffset, step, runStride, count, scores, at, lanes);
        }
    }

    /** Computes {@link #scoresOfRuns} for two queries. */
    public static void scoresOfRuns(
            float[] queries,
            int q,
            int r,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int runStride,
            int count,
            float[] scores,
            int qTo,
            int rTo,
            float[] lanes) {
        if (Lanes.SCALAR) {
            ScalarRow.scoresOfRuns(queries, q, width, keys, keysOffset, step, runStride, count, scores, qTo, lanes);
            ScalarRow.scoresOfRuns(queries, r, width, keys, keysOffset, step, runStride, count, scores, rTo, lanes);
        } else {
            DotPair.scoresOfRuns(
                    queries, q, r, width, keys, keysOffset, step, runStride, count, scores, qTo, rTo, lanes);
        }
    }

    /** Computes {@link #addEightOfRuns} for two queries. */
    public static void addEightOfRuns(
            float[] weights,
            int q,
            int r,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int qTo,
            int rTo) {
        if (Lanes.SCALAR) {
            ScalarRow.addEightOfRuns(weights, q, count, rows, rowsOffset, step, runStride, sums, qTo);
            ScalarRow.addEightOfRuns(weights, r, count, rows, rowsOffset, step, runStride, sums, rTo);
        } else {
            DotPair.addEightOfRuns(weights, q, r, count, rows, rowsOffset, step, runStride, sums, qTo, rTo);
        }
    }

    public static void addEight(
            float[] weights, int at, int count, float[] rows, int rowsOffset, int step, float[] sums, int to) {
        if (Lanes.SCALAR) {
            ScalarRow.addEight(weights, at, count, rows, rowsOffset, step, sums, to);
        } else {
            DotRow.addEight(weights, at, count, rows, rowsOffset, step, sums, to);
        }
    }

    public static void addEightOfRuns(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to) {
        if (Lanes.SCALAR) {
            ScalarRow.addEightOfRuns(weights, at, count, rows, rowsOffset, step, runStride, sums, to);
        } else {
            DotRow.addEightOfRuns(weights, at, count, rows, rowsOffset, step, runStride, sums, to);
        }
    }

    public static void addFourOfRuns(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to) {
        if (Lanes.SCALAR) {
            ScalarRow.addFourOfRuns(weights, at, count, rows, rowsOffset, step, runStride, sums, to);
        } else {
            DotRow.addFourOfRuns(weights, at, count, rows, rowsOffset, step, runStride, sums, to);
        }
    }

    public static float max(float[] scores, int at, int count) {
        return Lanes.SCALAR ? ScalarRow.max(scores, at, count) : DotRow.max(scores, at, count);
    }

    public static float weighRow(float[] scores, int at, int count, float max, float c, float[] lanes) {
        return Lanes.SCALAR
                ? ScalarRow.weigh(scores, at, count, max, c, lanes)
                : DotRow.weigh(scores, at, count, max, c, lanes);
    }

    public static void scaleRow(float[] y, int at, int count, float factor) {
        if (Lanes.SCALAR) {
            ScalarRow.scale(y, at, count, factor);
        } else {
            DotRow.scale(y, at, count, factor);
        }
    }

    public static float maxOfRow(float[] x, int at, int length) {
        return Lanes.SCALAR ? ScalarRow.maxOfRow(x, at, length) : SoftmaxRow.max(x, at, length);
    }

    public static float softmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        return Lanes.SCALAR
                ? ScalarRow.softmax(x, at, y, to, length, max, next, lanes)
                : SoftmaxRow.softmax(x, at, y, to, length, max, next, lanes);
    }

    public static float logSoftmax(
            float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        return Lanes.SCALAR
                ? ScalarRow.logSoftmax(x, at, y, to, length, max, next, lanes)
                : SoftmaxRow.logSoftmax(x, at, y, to, length, max, next, lanes);
    }

    /** Whether {@link #transposeBlock} may be called; plain loops transpose element-wise. */
    public static boolean transposesBlocks() {
        return !Lanes.SCALAR && Transpose.works();
    }

    public static void transposeBlock(
            float[] from,
            int at,
            int step,
            float[] factors,
            int factorsOffset,
            float[] to,
            int toOffset,
            int toRowStride,
            float[] buffer) {
        Transpose.block(from, at, step, factors, factorsOffset, to, toOffset, toRowStride, buffer);
    }
}
