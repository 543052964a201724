package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests the product for 0 to 26 rows, so that two blocks of 12 rows have a rest, and depths 0 to 9. Results must be close to the product in double, and equal to fused
 * multiply-adds in depth order. No element outside the rows of the result may be written.
 */
class MicroKernelTest {
    private static final float UNTOUCHED = -77;

    static Stream<Integer> rows() {
        return IntStream.rangeClosed(0, 26).boxed();
    }

    /**
     * The layout of the operands: A stored by rows or transposed, and each operand with or without gaps and an offset.
     */
    private record Layout(
            int aRowStride, int aDepthStride, int bDepthStride, int cRowStride, int at, int bOffset, int cOffset) {}

    private static Stream<Layout> layouts(int rows, int depth) {
        return Stream.of(
                new Layout(Math.max(1, depth), 1, PANEL, PANEL, 0, 0, 0),
                new Layout(depth + 3, 1, PANEL + 5, PANEL + 2, 7, 3, 11),
                new Layout(1, Math.max(1, rows), PANEL, PANEL, 0, 0, 0),
                new Layout(1, rows + 4, 2 * PANEL, 3 * PANEL, 1, 9, 5),
                new Layout(2 * depth + 1, 2, PANEL, PANEL, 2, 0, 0),
                new Layout(0, 1, PANEL, PANEL, 3, 0, 0), // all rows of A are the same row
                new Layout(Math.max(1, depth), 1, 0, PANEL, 0, 4, 0)); // all rows of B are the same row
    }

    @ParameterizedTest
    @MethodSource("rows")
    void productsAndSums(int rows) {
        for (int depth = 0; depth < 10; depth++) {
            int d = depth;
            layouts(rows, d).forEach(layout -> {
                for (Block block : Block.values()) {
                    if (block != Block.TALL || rows % 12 == 0 && layout.aRowStride == 1) {
                        check(rows, d, layout, block, false);
                        check(rows, d, layout, block, true);
                    }
                }
            });
        }
    }

    /** The blocks of this process, blocks of four or two vectors per row, or only tall blocks, for multiples of 12 rows. */
    private enum Block {
        OWN(KERNELS::product, KERNELS::accumulate, PANEL),
        FOUR(MicroKernel::product4, MicroKernel::accumulate4, PANEL),
        TWO(MicroKernel::product2, MicroKernel::accumulate2, PANEL / 2),
        TALL(
                (a, at, unused, aDepth, rows, b, from, bDepth, depth, c, to, cRow) ->
                        MicroKernel.productTall(a, at, aDepth, rows, b, from, bDepth, depth, c, to, cRow),
                (a, at, unused, aDepth, rows, b, from, bDepth, depth, c, to, cRow) ->
                        MicroKernel.accumulateTall(a, at, aDepth, rows, b, from, bDepth, depth, c, to, cRow),
                PANEL);

        private final Product product;
        private final Product accumulate;
        private final int columns;

        Block(Product product, Product accumulate, int columns) {
            this.product = product;
            this.accumulate = accumulate;
            this.columns = columns;
        }
    }

    private interface Product {
        void compute(
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
    }

    private static void check(int rows, int depth, Layout l, Block block, boolean sum) {
        var random = new Random(rows * 31L + depth);
        float[] a = random(
                random, l.at + Math.max(0, rows - 1) * l.aRowStride + Math.max(0, depth - 1) * l.aDepthStride + 1);
        float[] b = random(random, l.bOffset + Math.max(0, depth - 1) * l.bDepthStride + PANEL);
        float[] c = new float[l.cOffset + Math.max(1, rows) * l.cRowStride + 3];
        Arrays.fill(c, UNTOUCHED);
        float[] before = c.clone();
        if (sum) {
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < block.columns; i++) {
                    c[l.cOffset + r * l.cRowStride + i] =
                            before[l.cOffset + r * l.cRowStride + i] = (float) random.nextGaussian();
                }
            }
            block.accumulate.compute(
                    a,
                    l.at,
                    l.aRowStride,
                    l.aDepthStride,
                    rows,
                    b,
                    l.bOffset,
                    l.bDepthStride,
                    depth,
                    c,
                    l.cOffset,
                    l.cRowStride);
        } else {
            block.product.compute(
                    a,
                    l.at,
                    l.aRowStride,
                    l.aDepthStride,
                    rows,
                    b,
                    l.bOffset,
                    l.bDepthStride,
                    depth,
                    c,
                    l.cOffset,
                    l.cRowStride);
        }
        String where = block + ", " + rows + " rows, depth " + depth + ", " + l;
        boolean[] written = new boolean[c.length];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < block.columns; i++) {
                int cell = l.cOffset + r * l.cRowStride + i;
                float start = sum ? before[cell] : 0;
                float chain = start;
                double right = start;
                double size = Math.abs(start);
                for (int k = 0; k < depth; k++) {
                    float x = a[l.at + r * l.aRowStride + k * l.aDepthStride];
                    float y = b[l.bOffset + k * l.bDepthStride + i];
                    chain = Math.fma(x, y, chain);
                    right += (double) x * y;
                    size += Math.abs((double) x * y);
                }
                written[cell] = true;
                if (chain != c[cell] || !(Math.abs(right - c[cell]) <= depth * 0x1p-23 * size)) {
                    assertEquals(right, c[cell], depth * 0x1p-23 * size, where);
                    assertEquals(chain, c[cell], where);
                }
            }
        }
        for (int cell = 0; cell < c.length; cell++) {
            if (!written[cell] && c[cell] != UNTOUCHED) {
                assertEquals(UNTOUCHED, c[cell], "outside, at " + cell + ": " + where);
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
