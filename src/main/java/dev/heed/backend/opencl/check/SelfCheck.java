package dev.heed.backend.opencl.check;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.FirstLine;
import dev.heed.backend.opencl.plan.OpenClAttention;
import dev.heed.opencl.calls.OpenClException;
import dev.heed.score.ScoreFunction;
import dev.heed.score.ScoreKind;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The self-check of a device, which finds miscompiled kernels before they compute for a caller. It runs small attentions, forward
 * and backward, with a causal mask and queries that attend to no key, and compares the results with the formula. Additive,
 * Gaussian and cosine scores have separate kernels, which are built and checked when the first plan needs them.
 */
public final class SelfCheck {
    private static final double TOLERANCE = 1e-4;
    private static final int HEADS = 2;
    private static final int WIDTH = 8;

    /** Pairs of a number of queries and a number of keys: a decode, and a prefill whose first queries attend to no key. */
    private static final int[][] LENGTHS = {{1, 70}, {37, 29}};

    private final Engine engine;
    private final ScoreFunction score;
    private final ScoreFormula formula;

    private SelfCheck(Engine engine, ScoreFunction score, ScoreFormula formula) {
        this.engine = engine;
        this.score = score;
        this.formula = formula;
    }

    /**
     * A failed check.
     *
     * @param text a description of the first wrong result, or of the call that failed
     * @param isOutOfMemory whether the check failed for lack of memory and so says nothing about the kernels
     */
    public record Failure(String text, boolean isOutOfMemory) {}

    /** {@return the failed check of the kernels for a dot product, if one failed} */
    public static Optional<Failure> failure(Engine engine) {
        return failure(engine, ScoreKind.SCALED_DOT);
    }

    /** {@return the failed check of the kernels for a kind of score, if one failed} */
    public static Optional<Failure> failure(Engine engine, ScoreKind kind) {
        float[] vector = new float[WIDTH];
        for (int d = 0; d < WIDTH; d++) {
            vector[d] = (d - 3) / 4f;
        }
        SelfCheck check = switch (kind) {
            case ADDITIVE, CONCAT ->
                new SelfCheck(engine, ScoreFunction.additive(Tensor.of(vector, WIDTH)), ScoreFormula.additive(vector));
            case GAUSSIAN -> new SelfCheck(engine, ScoreFunction.gaussian(0.75), ScoreFormula.gaussian(0.75));
            case COSINE -> new SelfCheck(engine, ScoreFunction.cosine(3), ScoreFormula.cosine(3));
            case DOT, SCALED_DOT, GENERAL, LOCATION, CUSTOM ->
                new SelfCheck(engine, ScoreFunction.scaledDot(), ScoreFormula.dot(1 / Math.sqrt(WIDTH)));
        };
        try {
            for (int[] lengths : LENGTHS) {
                String wrong = check.check(lengths[0], lengths[1]);
                if (wrong != null) {
                    return Optional.of(new Failure(wrong, false));
                }
            }
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(new Failure(
                    FirstLine.of(e), e.getCause() instanceof OpenClException cause && cause.isOutOfMemory()));
        }
    }

    private @Nullable String check(int queries, int keys) {
        var random = new Random(7);
        AttentionOptions options =
                AttentionOptions.DEFAULT.causal().withScore(score).withLse();
        AttentionInputs inputs =
                AttentionInputs.of(elements(random, queries), elements(random, keys), elements(random, keys), options);
        Tensor dOutput = elements(random, queries);
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

    private static Tensor elements(Random random, int rows) {
        float[] elements = new float[HEADS * rows * WIDTH];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return Tensor.of(elements, 1, HEADS, rows, WIDTH);
    }

    /** {@return the output, dQ, dK and dV by the formula, in double, for a causal mask aligned bottom-right} */
    private double[][] written(AttentionInputs inputs, Tensor dOutput) {
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
        for (int row = 0; row < HEADS * queries; row++) {
            int attended = Math.max(0, row % queries + keys - queries + 1);
            int head = row / queries * keys;
            double[] p = new double[attended];
            double[] dp = new double[attended];
            double sum = 0;
            double delta = 0;
            for (int j = 0; j < attended; j++) {
                p[j] = Math.exp(formula.score(row(q, row), row(k, head + j)));
                dp[j] = dot(g, row, v, head + j);
                sum += p[j];
            }
            for (int j = 0; j < attended; j++) {
                p[j] /= sum;
                delta += p[j] * dp[j];
            }
            for (int j = 0; j < attended; j++) {
                double[] dqRow = new double[WIDTH];
                double[] dkRow = new double[WIDTH];
                formula.add(row(q, row), row(k, head + j), p[j] * (dp[j] - delta), dqRow, dkRow);
                for (int d = 0; d < WIDTH; d++) {
                    int here = row * WIDTH + d;
                    int there = (head + j) * WIDTH + d;
                    out[here] += p[j] * v[there];
                    dq[here] += dqRow[d];
                    dk[there] += dkRow[d];
                    dv[there] += p[j] * g[here];
                }
            }
        }
        return new double[][] {out, dq, dk, dv};
    }

    private static double[] row(double[] x, int row) {
        return Arrays.copyOfRange(x, row * WIDTH, (row + 1) * WIDTH);
    }

    private static double dot(double[] x, int row, double[] y, int other) {
        double sum = 0;
        for (int d = 0; d < WIDTH; d++) {
            sum += x[row * WIDTH + d] * y[other * WIDTH + d];
        }
        return sum;
    }
}
