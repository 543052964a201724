package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One vector of a panel: the chain of fused sums by depth, then what was there, and nothing beside it is touched. */
class NarrowKernelTest {
    private static final float UNTOUCHED = -77;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4, 7, 8, 9, 12, 16, 23, 64})
    void productsAndSums(int rows) {
        for (int depth : new int[] {0, 1, 2, 5, 16, 33}) {
            for (int lane = 0; lane < PANEL; lane += V) {
                check(rows, depth, depth + 3, 1, lane); // rows whose elements are neighbours
                check(rows, depth, 1, rows + 4, lane); // columns
                check(rows, depth, 2 * depth + 1, 2, lane); // neither
            }
        }
    }

    private static void check(int rows, int depth, int aRow, int aStep, int lane) {
        var random = new Random(rows * 31L + depth);
        int at = 3;
        int bt = 5 + lane;
        int ct = 2 + lane;
        float[] a = random(random, at + rows * aRow + depth * aStep + 1);
        float[] b = random(random, bt + depth * PANEL + V);
        for (boolean onto : new boolean[] {false, true}) {
            float[] c = new float[ct + rows * PANEL + V];
            Arrays.fill(c, UNTOUCHED);
            float[] right = c.clone();
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < V; i++) {
                    int cell = ct + r * PANEL + i;
                    float chain = 0;
                    for (int k = 0; k < depth; k++) {
                        chain = Math.fma(a[at + r * aRow + k * aStep], b[bt + k * PANEL + i], chain);
                    }
                    c[cell] = onto ? (float) random.nextGaussian() : UNTOUCHED;
                    right[cell] = onto ? c[cell] + chain : chain;
                }
            }
            NarrowKernel.product(onto, a, at, aRow, aStep, rows, b, bt, depth, c, ct, PANEL);
            String where = rows + " rows, depth " + depth + ", steps " + aRow + " and " + aStep + ", lane " + lane;
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
