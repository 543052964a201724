package dev.heed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
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
                assertEquals(weight, Objects.requireNonNull(result.topKWeights()).get(0, 0, 0, 0), 1e-6, text);
                assertEquals(3 * weight, result.output().get(0, 0, queries - 1, 0), 3e-6, text);
            }
        }
    }
}
