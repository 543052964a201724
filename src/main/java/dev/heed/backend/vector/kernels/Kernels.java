package dev.heed.backend.vector.kernels;

import dev.heed.Activation;
import org.jspecify.annotations.Nullable;

/**
 * The f32 loops that an instruction set supplies. A process has one implementation, {@link #KERNELS}: {@link VectorKernels}, or
 * {@link ScalarKernels} if {@link Lanes#SCALAR}. The field is a constant, so compiled code calls the loops directly.
 *
 * <p>Matrices are given as an array, the offset of the first element, and the distances between rows or columns, in elements.
 * A <i>tile</i> is a block {@code [key][query]} whose rows are {@link Lanes#PANEL} elements long, {@code at} is its offset.
 *
 * <p>The <i>statistics</i> of a panel are four blocks of {@link Lanes#PANEL} floats, one element per query: maxima, sums, factors
 * that rescale the weighted sums of the values of earlier tiles, and inverse sums. In the backward pass the third block contains
 * the gradients of the log-sum-exp.
 *
 * <p>No loop allocates memory. {@code lanes} is scratch memory of the caller.
 */
public interface Kernels {
    /** The loops of this process. */
    Kernels KERNELS = Lanes.SCALAR ? new ScalarKernels() : new VectorKernels();

    /** The maximum of a row before any key is read. It is finite, so that the difference of two such maxima is not NaN. */
    float NOTHING = -Float.MAX_VALUE;

    // Matrix products

    /**
     * Computes {@code C = A B}. Element {@code [r][k]} of A is at {@code aOffset + r * aRowStride + k * aDepthStride}, so a
     * transposed A only needs other strides. B and C are one panel wide. Each element is one sum in the order of depth.
     *
     * @param rows rows of A and C; any number
     * @param bDepthStride distance between rows of B
     * @param depth columns of A and rows of B
     */
    void product(
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
            int cRowStride);

    /** Computes {@code C = C + A B}; parameters are as in {@link #product}. The sum of an element begins with its old value. */
    void accumulate(
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
            int cRowStride);

    /** {@return whether one vector of a panel can be computed alone, with {@link #narrowProduct} and {@link #readRun}} */
    default boolean narrow() {
        return false;
    }

    /**
     * Computes {@code C = A B}, or {@code C = C + A B} if {@code onto}. B and C are one vector wide. B is one of the
     * four columns of vectors of a panel, so its rows are {@link Lanes#PANEL} elements apart.
     */
    default void narrowProduct(
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
        throw new UnsupportedOperationException("narrowProduct, because narrow() is false");
    }

    /** {@return whether {@link #transposeBlock} may be called} */
    default boolean transposesBlocks() {
        return false;
    }

    /**
     * Transposes a block of V rows by V columns from rows {@code step} apart to rows {@code toRowStride} apart, and multiplies
     * each source column by its factor. With a factor of 0 the result is 0, even if the element is non-finite.
     *
     * @param factors the factors of the V columns, from {@code factorsOffset} on
     * @param buffer scratch memory of V * V floats
     */
    default void transposeBlock(
            float[] from,
            int at,
            int step,
            float[] factors,
            int factorsOffset,
            float[] to,
            int toOffset,
            int toRowStride,
            float[] buffer) {
        throw new UnsupportedOperationException("transposeBlock, because transposesBlocks() is false");
    }

    /**
     * Computes {@code x = f(x + bias)} on rows of one panel of a linear layer.
     *
     * @param bias one element per column, padded with zeros to whole panels, or null
     * @param from index of the panel's first column in {@code bias}
     */
    void finishLinear(Activation activation, float @Nullable [] bias, int from, float[] x, int at, int step, int rows);

    // Prefill: tiles of scores and weights

    /**
     * Adds a tile to the statistics of a panel and turns its scores into weights relative to the new maxima. A weight below
     * 2^-126 becomes 0, like the weight of a masked key.
     *
     * @param tile {@code keys} rows of scores, which are replaced with weights
     * @param keys number of keys, at least 1
     * @param c the factor of the scores; must be above 0
     * @return whether the weighted sums of the values must be rescaled
     */
    boolean read(float[] tile, int keys, float c, float[] statistics);

    /** Computes {@link #read} for keys {@code [from, to)} and one vector of queries, which begins at {@code lane}. */
    default boolean readRun(float[] tile, int lane, int from, int to, float c, float[] statistics) {
        throw new UnsupportedOperationException("readRun, because narrow() is false");
    }

    /**
     * Raises the maxima to include the scores of a tile, rescales the sums and stores the factors; returns whether any
     * maximum was raised.
     */
    boolean raiseMaxima(float[] tile, int at, int keys, float c, float[] statistics);

    /** Turns the scores of a tile into weights relative to the maxima and adds them to the sums. */
    void weigh(float[] tile, int at, int keys, float c, float[] statistics);

    /**
     * Turns the scores of a tile into final weights: {@code 2^(c * (score - max)) * inverse sum}, at most 1. The maxima may
     * come from another computation, so a score may exceed them by rounding.
     */
    void finish(float[] tile, int at, int keys, float c, float[] statistics);

    /** Multiplies the scores of a tile by a factor. */
    void scale(float[] tile, int at, int keys, float scale);

    /** Replaces each of {@code count} scores with {@code cap * tanh(score / cap)}. */
    void softcap(float[] scores, int at, int count, float cap);

    /** Multiplies gradients by the derivative of the softcap, {@code 1 - (capped * inverse)^2}; inverse is {@code 1 / cap}. */
    void multiplyDerivatives(float[] gradients, int at, float[] capped, int keys, float inverse);

    /**
     * Subtracts from every score {@code slope} times the distance between query and key. {@code first} is the position
     * of the tile's first query minus the position of its first key.
     */
    void subtractDistances(float slope, float[] tile, int at, float first, int keys);

    /** Multiplies the weighted sums {@code [width][query]} by the factors in the statistics. */
    void rescale(float[] sums, int width, float[] statistics);

    /** {@return whether all values are finite} */
    boolean finite(float[] values, int from, int step, int keys, int width);

    /**
     * Adds weighted values for a tile whose masked values may be non-finite: a value with a weight of exactly 0 is ignored,
     * because its product with the weight could be NaN.
     */
    void poolAttended(float[] values, int from, int step, int keys, int width, float[] tile, int at, float[] sums);

    // Backward pass: tiles of weights and gradients

    /**
     * Adds {@code deltas [query] += sum over keys of weights * gradients}; a masked key adds nothing, even if its gradient
     * is NaN.
     */
    void addWeighted(float[] weights, float[] gradients, int at, int keys, float[] deltas);

    /** Multiplies the weights by the inverse sums; a weight of 0 stays 0, even if the inverse sum is NaN. */
    void normalise(float[] weights, int at, int keys, float[] statistics);

    /** Computes {@code dS = P * (dP - delta + dLSE)}; if {@code P} is 0, {@code dS} is 0, even if {@code dP} is NaN. */
    void scoreGradients(float[] weights, float[] gradients, int at, float[] deltas, float[] statistics, int keys);

    /** Sets the gradients of cells with weight 0 to 0. */
    void clearMasked(float[] weights, float[] gradients, int at, int keys);

    // Decode: rows of one query

    /**
     * Computes {@code scores[j] = q . k_j} for {@code count} keys.
     *
     * @param lanes four vectors of scratch memory
     */
    void scores(
            float[] q,
            int qOffset,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] scores,
            int at,
            float[] lanes);

    /**
     * Computes the scores of four runs of {@code count} keys, one key of each run at a time; the runs begin
     * {@code runStride} elements apart. Reading four streams is faster than reading one.
     *
     * @param lanes four vectors of scratch memory
     */
    void scoresOfRuns(
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
            float[] lanes);

    /**
     * Computes {@link #scoresOfRuns} for two queries, at offsets {@code q} and {@code r}; each key is loaded once for both. The
     * bits are the same as in separate calls.
     *
     * @param lanes eight vectors of scratch memory
     */
    void scoresOfRuns(
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
            float[] lanes);

    /** Computes {@code sums[d] += sum over j of weights[j] rows[j][d]} for {@code d} in eight consecutive vectors. */
    void addEight(float[] weights, int at, int count, float[] rows, int rowsOffset, int step, float[] sums, int to);

    /** Computes {@link #addEight} for four runs of {@code count} rows, which begin {@code runStride} elements apart. */
    void addEightOfRuns(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to);

    /** Computes {@link #addEightOfRuns} for two queries, whose weights begin at {@code q} and {@code r}. */
    void addEightOfRuns(
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
            int rTo);

    /** Computes {@link #addEightOfRuns} for {@code d} in four consecutive vectors. */
    void addFourOfRuns(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to);

    /** {@return the largest score, or minus infinity if no score is larger; NaN is ignored} */
    float max(float[] scores, int at, int count);

    /**
     * Replaces scores with weights {@code 2^(c (score - max))}, minus infinity with 0, and returns the sum of the weights.
     * The array must have room for {@code count} scores, rounded up to whole vectors.
     *
     * @param lanes one vector of scratch memory
     */
    float weighRow(float[] scores, int at, int count, float max, float c, float[] lanes);

    /** Computes {@code y = y * factor}. */
    void scaleRow(float[] y, int at, int count, float factor);

    // Softmax of rows

    /**
     * {@return the largest element other than NaN, or NaN if the row contains NaN and otherwise only minus infinity} A NaN
     * that is ignored here makes the sum NaN later.
     */
    float maxOfRow(float[] x, int at, int length);

    /**
     * Computes {@code y = softmax(x)}; {@code x} and {@code y} may be the same array at the same offset.
     *
     * @param max the largest element of the row, from {@link #maxOfRow}
     * @param next offset of the next row in {@code x}; its maximum is computed in the same loop, so that the
     *     next row is loaded from memory during this computation
     * @param lanes {@link Lanes#ROW_ROOM} floats
     * @return the maximum of the next row, as from {@link #maxOfRow}
     */
    float softmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes);

    /** Computes {@code y = log(softmax(x))}; parameters and return value are as in {@link #softmax}. */
    float logSoftmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes);

    // Pairwise scores other than the dot product

    /** Computes {@code tile [key][query] = sum over d of v_d tanh(q_d + k_d)}; {@code packed} is {@code [width][query]}. */
    void tanhs(
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] packed,
            int width,
            float[] v,
            float[] tile,
            int at);

    /** Computes {@code tile [key][query] = factor * sum over d of (q_d - k_d)^2}; {@code packed} is {@code [width][query]}. */
    void distances(
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] packed,
            int width,
            float factor,
            float[] tile,
            int at);

    /**
     * Computes {@link #tanhs} for one query and {@code count} keys of {@code r}, from {@code firstKey} on.
     *
     * @param lanes one vector of scratch memory
     */
    void tanhRow(
            float[] q,
            int qOffset,
            PairRows r,
            int firstKey,
            int count,
            float[] v,
            float[] scores,
            int at,
            float[] lanes);

    /**
     * Computes {@link #distances} for one query and {@code count} keys of {@code r}, from {@code firstKey} on.
     *
     * @param lanes one vector of scratch memory
     */
    void distanceRow(
            float[] q,
            int qOffset,
            PairRows r,
            int firstKey,
            int count,
            float factor,
            float[] scores,
            int at,
            float[] lanes);

    /**
     * With {@code t = tanh(q + k)}: computes {@code dv += g t}, {@code dq += v (g - g t^2)} and
     * {@code dk += v (g - g t^2)}.
     */
    void tanhGradients(float[] g, int at, int keys, int queries, PairRows r, int firstQuery, int firstKey, float[] v);

    /**
     * With {@code x = q - k}: computes {@code dq -= c g x} and {@code dk += c g x}; if {@code squares}, also adds
     * {@code g x^2} to the sums of the parameter. If not, these sums are undefined.
     */
    void distanceGradients(
            float[] g,
            int at,
            int keys,
            int queries,
            PairRows r,
            int firstQuery,
            int firstKey,
            float c,
            boolean squares);
}
