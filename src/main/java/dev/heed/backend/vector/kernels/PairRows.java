package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;

import java.util.Arrays;

/**
 * The query rows of a panel and the key rows of a tile, padded with zeros to whole vectors, and the sums of their
 * gradients.
 */
public final class PairRows {
    /** Elements per query row, rounded up to whole vectors. */
    public int width;

    public float[] queries = new float[0];
    public int queryStep;
    public float[] querySums = new float[0];
    public float[] keys = new float[0];
    public int keyStep;
    public float[] keySums = new float[0];

    /** Offset of the sums of the tile's first key in {@link #keySums}. */
    public int keySumsAt;

    public int keySumsStep;

    /** Contribution of one panel to the gradient of a parameter: one sum per element of a row. */
    public double[] parameterSums = new double[0];

    /** Contribution of one query and a tile of keys to V consecutive {@link #parameterSums}. */
    final float[] lanes = new float[V];

    void addToParameter(int from) {
        for (int d = 0; d < V; d++) {
            parameterSums[from + d] += lanes[d];
        }
    }

    /** {@return {@code width} rounded up to a multiple of the vector length} */
    public static int padded(long width) {
        return Math.toIntExact((width + V - 1) / V * V);
    }

    /** Copies rows into {@link #keys}, padded with zeros. */
    public void loadKeys(float[] rows, int from, int step, int count, int elements) {
        keyStep = padded(elements);
        keys = ArrayGrowth.atLeast(keys, count * keyStep);
        copy(rows, from, step, count, elements, keys, 0, keyStep);
    }

    /**
     * Copies rows of {@code elements} elements, {@code step} apart, to rows {@code toRowStride} apart, padded with
     * zeros.
     */
    public static void copy(
            float[] from, int at, int step, int count, int elements, float[] to, int toOffset, int toRowStride) {
        for (int j = 0; j < count; j++) {
            int row = toOffset + j * toRowStride;
            System.arraycopy(from, at + j * step, to, row, elements);
            Arrays.fill(to, row + elements, row + toRowStride, 0);
        }
    }
}
