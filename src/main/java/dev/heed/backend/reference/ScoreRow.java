package dev.heed.backend.reference;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.mask.BoundMask;
import dev.heed.random.Philox;
import dev.heed.tensor.Tensor;

/**
 * The scores and weights of one query for all keys. Scores are stored twice: at the requested stage, and after bias and
 * mask.
 */
final class ScoreRow {
    final AttentionOptions options;
    final double[] query;
    final double[] weights;
    final double[] savedScores;
    double max = Double.NEGATIVE_INFINITY;
    double sum;
    double sinkWeight;

    private final double[] softcapped;
    private final double[] modified;
    private final long batch;
    private final long head;
    private final long index;

    ScoreRow(AttentionInputs inputs, PairRule rule, long batch, long head, long index) {
        int keys = rule.keys.length;
        this.options = inputs.options();
        this.query = ReferenceAttention.row(inputs.query(), batch, head, index);
        rule.query(query, index);
        this.weights = new double[keys];
        this.savedScores = new double[options.scores() == null ? 0 : keys];
        this.softcapped = new double[keys];
        this.modified = new double[keys];
        this.batch = batch;
        this.head = head;
        this.index = index;
        score(inputs.problem().shape(), rule);
        normalise();
    }

    /** Computes score -> softcap -> bias and ALiBi -> mask. A bias of minus infinity masks the key regardless of its score. */
    private void score(AttentionShape s, PairRule rule) {
        Double cap = options.softcap();
        BoundMask mask = options.mask().on(s.seqLenQ(), s.seqLenKv());
        Tensor bias = options.bias() == null
                ? null
                : options.bias().expand(s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        double slope = options.alibiSlopes() == null ? 0 : options.alibiSlopes().get(head);
        ScoreStage stage = options.scores();
        boolean maskedToo = stage == ScoreStage.SCORE || stage == ScoreStage.SOFTCAPPED;
        for (int j = 0; j < modified.length; j++) {
            boolean takesPart = mask.takesPart(batch, head, index, j);
            double added = takesPart && bias != null ? bias.get(batch, head, index, j) : 0;
            takesPart &= added != Double.NEGATIVE_INFINITY;
            modified[j] = Double.NEGATIVE_INFINITY;
            if (takesPart || maskedToo) {
                double score = rule.score(j);
                softcapped[j] = cap == null ? score : cap * Math.tanh(score / cap);
                if (takesPart) {
                    double distance = Math.abs(index + s.seqLenKv() - s.seqLenQ() - j);
                    modified[j] = softcapped[j] + added - (slope == 0 ? 0 : slope * distance);
                }
                if (maskedToo) {
                    savedScores[j] = stage == ScoreStage.SCORE ? score : softcapped[j];
                }
            }
            if (stage == ScoreStage.MODIFIED) {
                savedScores[j] = modified[j];
            }
        }
    }

    /**
     * Computes the softmax with the sink in the denominator. A row without attended keys and without a sink has weights 0
     * and sum 0.
     */
    private void normalise() {
        double sink = options.sink() == null
                ? Double.NEGATIVE_INFINITY
                : options.sink().get(head);
        max = sink;
        for (double score : modified) {
            max = Math.max(max, score);
        }
        if (max == Double.NEGATIVE_INFINITY) {
            return;
        }
        sum = Math.exp(sink - max);
        for (int j = 0; j < modified.length; j++) {
            sum += Math.exp(modified[j] - max);
        }
        for (int j = 0; j < modified.length; j++) {
            weights[j] =
                    takesPart(j) ? Math.exp(modified[j] - max) / sum : 0; // 0 for a masked key even if the sum is NaN
        }
        sinkWeight = Math.exp(sink - max) / sum;
    }

    /** Normalises the weights by a row maximum and a row sum, which may belong to more keys. */
    void normalise(double rowMax, double rowSum) {
        max = rowMax;
        sum = rowSum;
        for (int j = 0; j < weights.length; j++) {
            weights[j] = takesPart(j) && sum != 0 ? Math.exp(modified[j] - max) / sum : 0;
        }
        Tensor sink = options.sink();
        sinkWeight = sink == null || sum == 0 ? 0 : Math.exp(sink.get(head) - max) / sum;
    }

    boolean takesPart(int key) {
        return modified[key] != Double.NEGATIVE_INFINITY;
    }

    /** {@return 1 without dropout, else 0 for a dropped weight and {@code 1 / (1 - p)} for any other weight} */
    double dropoutFactor(int key) {
        double p = options.dropout();
        if (p == 0) {
            return 1;
        }
        return Philox.uniform(options.seed(), batch, head, index, key) < p ? 0 : 1 / (1 - p);
    }

    /** {@return the derivative of the softcap {@code c tanh(s / c)}: {@code 1 - tanh^2}} */
    double softcapDerivative(int key) {
        Double cap = options.softcap();
        double t = cap == null ? 0 : softcapped[key] / cap;
        return 1 - t * t;
    }

    /** {@return the weighted sum of the attended values} */
    double[] pool(double[][] values) {
        double[] output = new double[values[0].length];
        for (int j = 0; j < weights.length; j++) {
            if (takesPart(j)) {
                double factor = dropoutFactor(j);
                if (factor != 0) {
                    ReferenceAttention.axpy(output, weights[j] * factor, values[j]);
                }
            }
        }
        return output;
    }
}
