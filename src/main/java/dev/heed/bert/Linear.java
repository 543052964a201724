package dev.heed.bert;

import java.util.Arrays;

/**
 * {@code y = x W + b} on rows.
 *
 * @param in width of a row of {@code x}
 * @param out width of a row of {@code y}
 * @param weight {@code [in, out]}, row-major
 * @param bias {@code [out]}
 */
record Linear(int in, int out, float[] weight, float[] bias) {

    float[] apply(float[] x) {
        int rows = x.length / in;
        float[] y = new float[Math.multiplyExact(rows, out)];
        for (int i = 0; i < rows; i++) {
            float[] row = Arrays.copyOf(bias, out);
            // The innermost loop runs along rows of W and y, which lie in memory in this order.
            for (int k = 0; k < in; k++) {
                float factor = x[i * in + k];
                int from = k * out;
                for (int j = 0; j < row.length; j++) {
                    row[j] += factor * weight[from + j];
                }
            }
            System.arraycopy(row, 0, y, i * out, out);
        }
        return y;
    }
}
