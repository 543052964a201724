package dev.heed.backend.opencl;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.tensor.Tensor;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A device's first task: attentions so small that the formula can be written out here, with a mask, a causal row without
 * keys, forward and backward. A driver that miscompiles is found before it computes for anybody.
 *
 * <p>{@code heed.opencl.selfcheck=false} leaves it out.
 */
final class SelfCheck {
    static final String PROPERTY = "heed.opencl.selfcheck";

    private static final double TOLERANCE = 1e-4;
    private static final int HEADS = 2;
    private static final int WIDTH = 8;

    /** Queries and keys: a decode, and a prefill whose first queries see nothing. */
    private static final int[][] LENGTHS = {{1, 70}, {37, 29}};

    private final Engine engine;

    private SelfCheck(Engine engine) {
        this.engine = engine;
    }

    static boolean isWanted() {
        return !"false".equals(System.getProperty(PROPERTY));
    }

    /** {@return what the device got wrong, or nothing} */
    static Optional<String> failure(Engine engine) {
        try {
            for (int[] lengths : LENGTHS) {
                String wrong = new SelfCheck(engine).check(lengths[0], lengths[1]);
                if (wrong != null) {
                    return Optional.of(wrong);
                }
            }
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString()));
        }
    }

    private @Nullable String check(int queries, int keys) {
        var random = new Random(7);
        AttentionOptions options = AttentionOptions.DEFAULT.causal().withLse();
        AttentionInputs inputs =
                AttentionInputs.of(numbers(random, queries), numbers(random, keys), numbers(random, keys), options);
        Tensor dOutput = numbers(random, queries);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        try (var plan = new OpenClAttention(inputs.problem(), engine)) {
            plan.forward(inputs, result);
            plan.backward(inputs, result, dOutput, null, gradients);
        }
        double[][] expected = written(inputs, dOutput);
        Tensor[] ours = {result.output(), gradients.query(), gradients.key(), gradients.value()};
        String[] names = {"output", "query gradient", "key gradient", "value gradient"};
        for (int n = 0; n < ours.length; n++) {
            double[] got = ours[n].toDoubleArray();
            for (int i = 0; i < got.length; i++) {
                if (!(Math.abs(got[i] - expected[n][i]) <= TOLERANCE)) {
                    return names[n] + " of " + inputs.problem() + " at " + i + ": expected " + expected[n][i] + ", got "
                            + got[i];
                }
            }
        }
        return null;
    }

    private static Tensor numbers(Random random, int rows) {
        float[] numbers = new float[HEADS * rows * WIDTH];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Tensor.of(numbers, 1, HEADS, rows, WIDTH);
    }

    /** Output and gradients by the formula, in double: causal, bottom-right. */
    private static double[][] written(AttentionInputs inputs, Tensor dOutput) {
        int queries = (int) inputs.query().size(2);
        int keys = (int) inputs.key().size(2);
        double[] q = inputs.query().toDoubleArray();
        double[] k = inputs.key().toDoubleArray();
        double[] v = inputs.value().toDoubleArray();
        double[] g = dOutput.toDoubleArray();
        double[] out = new double[q.length];
        double[] dq = new double[q.length];
        double[] dk = new double[k.length];
        double[] dv = new double[v.length];
        double scale = 1 / Math.sqrt(WIDTH);
        for (int row = 0; row < HEADS * queries; row++) {
            int seen = Math.max(0, row % queries + keys - queries + 1);
            int head = row / queries * keys;
            double[] p = new double[seen];
            double[] dp = new double[seen];
            double sum = 0;
            double delta = 0;
            for (int j = 0; j < seen; j++) {
                p[j] = Math.exp(scale * dot(q, row, k, head + j));
                dp[j] = dot(g, row, v, head + j);
                sum += p[j];
            }
            for (int j = 0; j < seen; j++) {
                p[j] /= sum;
                delta += p[j] * dp[j];
            }
            for (int j = 0; j < seen; j++) {
                double ds = scale * p[j] * (dp[j] - delta);
                for (int d = 0; d < WIDTH; d++) {
                    int here = row * WIDTH + d;
                    int there = (head + j) * WIDTH + d;
                    out[here] += p[j] * v[there];
                    dq[here] += ds * k[there];
                    dk[there] += ds * q[here];
                    dv[there] += p[j] * g[here];
                }
            }
        }
        return new double[][] {out, dq, dk, dv};
    }

    private static double dot(double[] x, int row, double[] y, int other) {
        double sum = 0;
        for (int d = 0; d < WIDTH; d++) {
            sum += x[row * WIDTH + d] * y[other * WIDTH + d];
        }
        return sum;
    }
}
