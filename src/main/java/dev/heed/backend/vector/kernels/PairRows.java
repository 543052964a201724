package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;

import java.util.Arrays;

/** The rows of a panel and of a tile of keys, padded with zeros to whole vectors, and the sums of their gradients. */
public final class PairRows {
    /** Elements of a row, whole vectors. */
    public int width;

    public float[] queries = new float[0];
    public int queryStep;
    public float[] querySums = new float[0];
    public float[] keys = new float[0];
    public int keyStep;
    public float[] keySums = new float[0];

    /** Where the sums of the tile's first key begin. */
    public int keySumsAt;

    public int keySumsStep;

    /** What one panel adds to the gradient of a parameter, element by element of a row. */
    public double[] parameterSums = new double[0];

    /** What a query and a tile of keys add to some elements of them. */
    final float[] lanes = new float[V];

    void addToParameter(int from) {
        for (int d = 0; d < V; d++) {
            parameterSums[from + d] += lanes[d];
        }
    }

    /** Elements of a row with whole vectors. */
    public static int padded(long width) {
        return Math.toIntExact((width + V - 1) / V * V);
    }

    /** Copies rows into {@link #keys}, padded. */
    public void loadKeys(float[] rows, int from, int step, int count, int elements) {
        keyStep = padded(elements);
        keys = ArrayGrowth.atLeast(keys, count * keyStep);
        copy(rows, from, step, count, elements, keys, 0, keyStep);
    }

    /** Copies rows of one distance into rows of another, zeros between. */
    public static void copy(float[] from, int at, int step, int count, int elements, float[] to, int toOffset, int toRowStride) {
        for (int j = 0; j < count; j++) {
            int row = toOffset + j * toRowStride;
            System.arraycopy(from, at + j * step, to, row, elements);
            Arrays.fill(to, row + elements, row + toRowStride, 0);
        }
    }
}
