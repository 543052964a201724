package dev.heed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.math.BigInteger;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of numbers near the limits of their types: scales, sinks, parameters, offsets, rows and values. */
interface EdgeContract extends ContractChapter {
    /** Numbers of queries for which backends may choose different loops. */
    int[] QUERIES = {1, 20};

    private static Tensor filled(DType type, double value, long... shape) {
        return Tensor.zeros(type, shape).fill(value);
    }

    /** Tests LSE and weights of equal scores with a sink, for scales and sinks of every magnitude. */
    @ParameterizedTest
    @ValueSource(doubles = {0, -0.0, 1e-45, 1e-38, -1e-38, 1e-30, 1e-12, 0.125, -0.125, 1e12, 1e30, -1e30, 1e38, -1e38})
    default void aSinkDoesNotDependOnTheUnitOfTheScale(double scale) {
        for (double logit : new double[] {-3e38, -1e20, -2, 0, 1, 4, 6, 90, 1e4, 1e20, 3e38}) {
            for (int queries : QUERIES) {
                AttentionResult result = forward(AttentionInputs.of(
                        filled(DType.F32, 1, 1, 1, queries, 1),
                        filled(DType.F32, 1, 1, 1, 3, 1),
                        filled(DType.F32, 1, 1, 1, 3, 1),
                        AttentionOptions.DEFAULT
                                .withScale(scale)
                                .withSink(filled(DType.F32, logit, 1))
                                .withLse()
                                .withWeights()
                                .withTopK(1)));
                double score = (float) scale;
                double sink = (float) logit;
                double top = Math.max(score, sink);
                double lse = top + Math.log(3 * Math.exp(score - top) + Math.exp(sink - top));
                double weight = Math.exp(score - top) / (3 * Math.exp(score - top) + Math.exp(sink - top));
                String text = "scale " + scale + ", sink " + logit + ", " + queries + " queries";
                double near = Math.abs(lse) * 1e-6 + 1e-6;
                assertEquals(lse, Objects.requireNonNull(result.lse()).get(0, 0, queries - 1), near, text);
                assertEquals(weight, Objects.requireNonNull(result.weights()).get(0, 0, queries - 1, 2), 1e-6, text);
                assertEquals(
                        weight, Objects.requireNonNull(result.topKWeights()).get(0, 0, 0, 0), 1e-6, text);
                assertEquals(3 * weight, result.output().get(0, 0, queries - 1, 0), 3e-6, text);
            }
        }
    }

    /**
     * Tests causal masks and windows whose offsets and bounds are at the ends of a long or an int. All scores are equal, so
     * the output is the mean index of the attended keys.
     */
    @ParameterizedTest
    @ValueSource(
            longs = {
                Long.MIN_VALUE,
                Long.MIN_VALUE + 2,
                -(1L << 62),
                -(1L << 32) - 1,
                -(1L << 31),
                (1L << 30) + 1,
                (1L << 31) - 1,
                1L << 31,
                1L << 62,
                Long.MAX_VALUE - 2,
                Long.MAX_VALUE
            })
    default void positionsDoNotOverflow(long offset) {
        int keys = 7;
        Tensor indices = Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6}, 2, 1, keys, 1);
        CausalAlignment alignment = CausalAlignment.offset(offset, offset == Long.MIN_VALUE ? 0 : -offset);
        long far = offset == Long.MIN_VALUE ? Long.MAX_VALUE - 1 : Math.abs(offset);
        long all = Mask.Window.UNBOUNDED;
        Mask[] masks = {
            Mask.causal(alignment),
            new Mask.Window(2, all, alignment),
            new Mask.Window(all, 2, alignment),
            new Mask.Window(all, all, alignment),
            new Mask.Window(far == all ? all - 1 : far, 1, alignment),
            new Mask.Window(3, far == all ? all - 1 : far, alignment),
            new Mask.Window(all - 1, all - 1, alignment),
        };
        for (int queries : QUERIES) {
            Tensor zeros = Tensor.zeros(DType.F32, 2, 1, queries, 1);
            for (Mask mask : masks) {
                Tensor output = output(AttentionInputs.of(
                        zeros,
                        Tensor.zeros(DType.F32, 2, 1, keys, 1),
                        indices,
                        AttentionOptions.DEFAULT.withMask(mask)));
                for (int b = 0; b < 2; b++) {
                    for (int i = 0; i < queries; i++) {
                        assertEquals(
                                mean(mask, b, i, keys), output.get(b, 0, i, 0), 1e-5, mask.pattern() + " row " + i);
                    }
                }
            }
        }
    }

    /** The mean index of the attended keys by the definition, computed without overflow; 0 if there are none. */
    private static double mean(Mask mask, int batch, int query, int keys) {
        Mask.Window window = mask instanceof Mask.Causal causal ? causal.window() : (Mask.Window) mask;
        BigInteger position =
                BigInteger.valueOf(window.alignment().offsetOf(batch, 1, 1)).add(BigInteger.valueOf(query));
        double sum = 0;
        int count = 0;
        for (int j = 0; j < keys; j++) {
            BigInteger distance = BigInteger.valueOf(j).subtract(position);
            boolean unbounded = window.left() == Mask.Window.UNBOUNDED;
            boolean attended = unbounded || distance.negate().compareTo(BigInteger.valueOf(window.left())) <= 0;
            unbounded = window.right() == Mask.Window.UNBOUNDED;
            attended &= unbounded || distance.compareTo(BigInteger.valueOf(window.right())) <= 0;
            sum += attended ? j : 0;
            count += attended ? 1 : 0;
        }
        return count == 0 ? 0 : sum / count;
    }
}
