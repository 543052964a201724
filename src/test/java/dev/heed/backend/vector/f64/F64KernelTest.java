package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;
import static dev.heed.backend.vector.f64.F64Lanes.PANEL;
import static dev.heed.backend.vector.f64.F64Lanes.V;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests that matrix products in f64 have exactly the bits of plain loops. */
class F64KernelTest {
    private static final int DEPTH = 13;
    private final Random random = new Random(1);

    @Test
    void everyElementIsASumOfItsOwnInDepthOrder() {
        for (int rows = 1; rows <= 9; rows++) {
            for (int lanes = V; lanes <= PANEL; lanes += V) {
                double[] a = numbers(3 + DEPTH * 11);
                double[] b = numbers(5 + DEPTH * (PANEL + 1));
                double[] c = numbers(7 + rows * (PANEL + 2));
                double[] expected = c.clone();
                for (int r = 0; r < rows; r++) {
                    for (int i = 0; i < lanes; i++) {
                        double sum = 0;
                        for (int k = 0; k < DEPTH; k++) {
                            sum = Math.fma(a[3 + r + k * 11], b[5 + k * (PANEL + 1) + i], sum);
                        }
                        expected[7 + r * (PANEL + 2) + i] += sum;
                    }
                }
                double[] seen = c.clone();
                KERNELS.accumulate(a, 3, 1, 11, rows, b, 5, PANEL + 1, DEPTH, c, 7, PANEL + 2, lanes);
                assertArrayEquals(expected, c, rows + " rows, " + lanes + " lanes");
                KERNELS.accumulateAttended(true, a, 3, 1, 11, rows, b, 5, PANEL + 1, DEPTH, seen, 7, PANEL + 2, lanes);
                assertArrayEquals(expected, seen, "nothing masked, " + rows + " rows, " + lanes + " lanes");
            }
        }
    }

    @Test
    void dotProductsAreTheTextbooksLoop() {
        for (int rows = 1; rows <= 9; rows++) {
            for (int lanes = V; lanes <= PANEL; lanes += V) {
                double[] a = numbers(2 + rows * 17);
                double[] b = numbers(DEPTH * lanes);
                double[] c = numbers(4 + rows * lanes);
                double[] expected = c.clone();
                for (int r = 0; r < rows; r++) {
                    for (int i = 0; i < lanes; i++) {
                        double sum = 0;
                        for (int k = 0; k < DEPTH; k++) {
                            sum += a[2 + r * 17 + k] * b[k * lanes + i];
                        }
                        expected[4 + r * lanes + i] = sum;
                    }
                }
                KERNELS.dots(a, 2, 17, 1, rows, b, 0, lanes, DEPTH, c, 4, lanes, lanes);
                assertArrayEquals(expected, c, rows + " rows, " + lanes + " lanes");
            }
        }
    }

    @Test
    void whatMeetsAHiddenWeightIsNotRead() {
        double[] weights = numbers(DEPTH * V);
        double[] values = numbers(DEPTH * 3);
        double[] poisoned = values.clone();
        for (int i = 0; i < V; i++) {
            weights[4 * V + i] = F64Kernels.MASKED_WEIGHT;
        }
        for (int d = 0; d < 3; d++) {
            poisoned[4 * 3 + d] = Double.NaN;
        }
        double[] clean = new double[3 * V];
        double[] dirty = new double[3 * V];
        KERNELS.accumulate(values, 0, 1, 3, 3, weights, 0, V, DEPTH, clean, 0, V, V);
        KERNELS.accumulateAttended(false, poisoned, 0, 1, 3, 3, weights, 0, V, DEPTH, dirty, 0, V, V);
        assertArrayEquals(clean, dirty);
    }

    private double[] numbers(int count) {
        return random.doubles(count, -1, 1).toArray();
    }
}
