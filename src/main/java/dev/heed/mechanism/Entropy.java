package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Objects;

/**
 * The entropy of each row of attention weights, {@code H = -sum_j a_j ln a_j} in nats. Its gradient with respect to the
 * scores {@code s} is {@code dH/ds_j = -a_j (ln a_j + H)}. The rows are computed in chunks, so that the matrix of
 * scores is never stored as a whole. A fully masked row has entropy 0.
 */
public final class Entropy {
    private final AttentionEngine engine;
    private final AttentionInputs inputs;
    private final Tensor entropy;

    private Entropy(AttentionEngine engine, AttentionInputs inputs, Tensor entropy) {
        this.engine = engine;
        this.inputs = inputs;
        this.entropy = entropy;
    }

    /** {@return the entropies of the rows of an attention} */
    public static Entropy of(AttentionInputs inputs) {
        return of(inputs, AttentionEngine.AUTOMATIC);
    }

    /**
     * {@return the entropies of the rows of an attention, computed by the given engine}
     *
     * @throws InvalidInputException if the options have a sink or dropout, or request optional outputs other than the LSE
     */
    public static Entropy of(AttentionInputs inputs, AttentionEngine engine) {
        QueryRows.requirePlain("entropy", inputs);
        AttentionShape s = inputs.problem().shape();
        Tensor entropy = Tensor.zeros(inputs.query().type().accumulator(), s.batch(), s.numHeads(), s.seqLenQ());
        var found = new Entropy(engine, inputs, entropy);
        for (QueryRows rows : QueryRows.chunks(QueryRows.withoutValues(inputs))) {
            found.read(rows);
        }
        return found;
    }

    /** {@return the entropies, {@code [batch, numHeads, seqLenQ]}} */
    public Tensor values() {
        return entropy;
    }

    private AttentionResult scores(QueryRows rows) {
        return engine.forward(rows.with(rows.options().withLse().withScores(ScoreStage.MODIFIED)));
    }

    private void read(QueryRows rows) {
        AttentionResult result = scores(rows);
        Tensor scores = Objects.requireNonNull(result.scores());
        RowStatistics statistics = RowStatistics.of(result);
        for (long b = 0; b < scores.size(0); b++) {
            for (long h = 0; h < scores.size(1); h++) {
                for (long i = 0; i < scores.size(2); i++) {
                    double sum = 0;
                    for (long j = 0; j < scores.size(3); j++) {
                        double log = statistics.logWeight(scores.get(b, h, i, j), b, h, i);
                        sum -= scores.get(b, h, i, j) == Double.NEGATIVE_INFINITY ? 0 : Math.exp(log) * log;
                    }
                    entropy.set(sum, b, h, rows.from() + i);
                }
            }
        }
    }

    /**
     * {@return the gradients of a loss that depends on the entropies; the gradient of the value is zero}
     *
     * @param gradient the gradient of the loss with respect to {@link #values}
     */
    public AttentionGradients backward(Tensor gradient) {
        var sum = new GradientSum(inputs);
        add(gradient, sum);
        return sum.total();
    }

    void add(Tensor gradient, GradientSum sum) {
        if (!gradient.type().isFloating() || !gradient.hasShape(entropy.shape())) {
            throw new InvalidInputException(
                    "The gradient does not fit the entropies",
                    entropy.toString(),
                    gradient.toString(),
                    "the gradient must have the shape of values()");
        }
        var pullback = new ScorePullback(engine);
        for (QueryRows rows : QueryRows.chunks(QueryRows.withoutValues(inputs))) {
            AttentionResult result = scores(rows);
            Tensor scores = Objects.requireNonNull(result.scores());
            RowStatistics statistics = RowStatistics.of(result);
            Tensor scoreGradient = Tensor.zeros(scores.type(), scores.shape());
            for (long b = 0; b < scores.size(0); b++) {
                for (long h = 0; h < scores.size(1); h++) {
                    for (long i = 0; i < scores.size(2); i++) {
                        double up = gradient.get(b, h, rows.from() + i);
                        double own = entropy.get(b, h, rows.from() + i);
                        for (long j = 0; j < scores.size(3); j++) {
                            double log = statistics.logWeight(scores.get(b, h, i, j), b, h, i);
                            boolean attended = scores.get(b, h, i, j) != Double.NEGATIVE_INFINITY;
                            scoreGradient.set(attended ? -up * Math.exp(log) * (log + own) : 0, b, h, i, j);
                        }
                    }
                }
            }
            pullback.add(rows, scores, scoreGradient, sum);
        }
    }
}
