package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import java.util.Arrays;

/**
 * Matrix products in plain Java. The JIT vectorises a loop over several arrays only if it can prove that no
 * iteration reads an element that an earlier iteration stored through another array. It can prove this if all arrays are read and
 * written at the same index. So four rows of B and up to {@link #ROWS} rows of C are copied to separate arrays that are
 * all indexed from 0. This is four times as fast as loops with offsets into the operands.
 */
final class ScalarBlocks {
    private static final int ROWS = 64;

    private static final ThreadLocal<ScalarBlocks> MINE = ThreadLocal.withInitial(ScalarBlocks::new);

    private final float[][] b = new float[4][PANEL];
    private final float[][] c = new float[ROWS][PANEL];

    private ScalarBlocks() {}

    /** {@return the scratch memory of this thread} */
    static ScalarBlocks mine() {
        return MINE.get();
    }

    /** Computes {@link Kernels#product}, or {@link Kernels#accumulate} if {@code add}. */
    void multiply(
            boolean add,
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] from,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] to,
            int cOffset,
            int cRowStride) {
        for (int first = 0; first < rows; first += ROWS) {
            int count = Math.min(ROWS, rows - first);
            for (int r = 0; r < count; r++) {
                if (add) {
                    System.arraycopy(to, cOffset + (first + r) * cRowStride, c[r], 0, PANEL);
                } else {
                    Arrays.fill(c[r], 0);
                }
            }
            int whole = depth / 4 * 4;
            for (int k = 0; k < whole; k += 4) {
                for (int n = 0; n < 4; n++) {
                    System.arraycopy(from, bOffset + (k + n) * bDepthStride, b[n], 0, PANEL);
                }
                four(a, aOffset + first * aRowStride + k * aDepthStride, aRowStride, aDepthStride, count);
            }
            for (int k = whole; k < depth; k++) {
                System.arraycopy(from, bOffset + k * bDepthStride, b[0], 0, PANEL);
                for (int r = 0; r < count; r++) {
                    add(a[aOffset + (first + r) * aRowStride + k * aDepthStride], b[0], c[r]);
                }
            }
            for (int r = 0; r < count; r++) {
                System.arraycopy(c[r], 0, to, cOffset + (first + r) * cRowStride, PANEL);
            }
        }
    }

    private void four(float[] a, int aOffset, int aRowStride, int aDepthStride, int rows) {
        int r = 0;
        int p = aOffset;
        for (; r + 2 <= rows; r += 2, p += 2 * aRowStride) {
            int q = p + aRowStride;
            addFour(
                    a[p],
                    a[p + aDepthStride],
                    a[p + 2 * aDepthStride],
                    a[p + 3 * aDepthStride],
                    a[q],
                    a[q + aDepthStride],
                    a[q + 2 * aDepthStride],
                    a[q + 3 * aDepthStride],
                    b[0],
                    b[1],
                    b[2],
                    b[3],
                    c[r],
                    c[r + 1]);
        }
        if (r < rows) {
            for (int n = 0; n < 4; n++) {
                add(a[p + n * aDepthStride], b[n], c[r]);
            }
        }
    }

    private static void add(float x, float[] b, float[] c) {
        for (int i = 0; i < PANEL; i++) {
            c[i] = Lanes.fma(x, b[i], c[i]);
        }
    }

    /** Adds four rows of B, multiplied by elements of A, to each of two rows of C. */
    private static void addFour(
            float x0,
            float x1,
            float x2,
            float x3,
            float y0,
            float y1,
            float y2,
            float y3,
            float[] b0,
            float[] b1,
            float[] b2,
            float[] b3,
            float[] c,
            float[] d) {
        for (int i = 0; i < PANEL; i++) {
            float s = b0[i];
            float t = b1[i];
            float u = b2[i];
            float v = b3[i];
            c[i] = Lanes.fma(x3, v, Lanes.fma(x2, u, Lanes.fma(x1, t, Lanes.fma(x0, s, c[i]))));
            d[i] = Lanes.fma(y3, v, Lanes.fma(y2, u, Lanes.fma(y1, t, Lanes.fma(y0, s, d[i]))));
        }
    }
}
