package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares the product for one vector of a panel with fused multiply-adds in depth order; if {@code onto}, their sum is
 * added to the previous element of C. No element outside the vector may be written.
 */
class NarrowKernelTest {
    private static final float UNTOUCHED = -77;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4, 7, 8, 9, 12, 16, 23, 64})
    void productsAndSums(int rows) {
        for (int depth : new int[] {0, 1, 2, 5, 16, 33}) {
            for (int lane = 0; lane < PANEL; lane += V) {
                check(rows, depth, depth + 3, 1, lane); // adjacent elements in rows
                check(rows, depth, 1, rows + 4, lane); // adjacent elements in columns
                check(rows, depth, 2 * depth + 1, 2, lane); // neither
            }
        }
    }

    private static void check(int rows, int depth, int aRowStride, int aDepthStride, int lane) {
        var random = new Random(rows * 31L + depth);
        int at = 3;
        int bOffset = 5 + lane;
        int cOffset = 2 + lane;
        float[] a = random(random, at + rows * aRowStride + depth * aDepthStride + 1);
        float[] b = random(random, bOffset + depth * PANEL + V);
        for (boolean onto : new boolean[] {false, true}) {
            float[] c = new float[cOffset + rows * PANEL + V];
            Arrays.fill(c, UNTOUCHED);
            float[] right = c.clone();
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < V; i++) {
                    int cell = cOffset + r * PANEL + i;
                    float chain = 0;
                    for (int k = 0; k < depth; k++) {
                        chain = Math.fma(a[at + r * aRowStride + k * aDepthStride], b[bOffset + k * PANEL + i], chain);
                    }
                    c[cell] = onto ? (float) random.nextGaussian() : UNTOUCHED;
                    right[cell] = onto ? c[cell] + chain : chain;
                }
            }
            KERNELS.narrowProduct(onto, a, at, aRowStride, aDepthStride, rows, b, bOffset, depth, c, cOffset, PANEL);
            String where = rows + " rows, depth " + depth + ", steps " + aRowStride + " and " + aDepthStride + ", lane "
                    + lane;
            for (int cell = 0; cell < c.length; cell++) {
                assertEquals(right[cell], c[cell], where + ", at " + cell);
            }
        }
    }

    private static float[] random(Random random, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
