package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Objects;

/**
 * Monotonic attention (Raffel et al. 2017): each query scans the keys in order, from the key where the previous query
 * stopped, and stops at key {@code j} with probability {@code p_ij = sigmoid(score)}. A bias with one element is the
 * offset {@code r} of the paper's equation 16. Masked keys are skipped.
 *
 * <p>In the expected form, the weight {@code a_ij} of key {@code j} is the probability that query {@code i} stops
 * there, and {@code q_ij} is the probability that query {@code i} reaches it (equations 9 and 10):
 *
 * <pre>
 * q_ij = (1 - p_i,j-1) q_i,j-1 + a_i-1,j        a_ij = p_ij q_ij        the first query starts at key 0
 * </pre>
 *
 * <p>The probability of scanning past the end is lost, so the weights of a row may sum to less than 1, and later rows
 * start from the smaller sum. The hard form stops at the first key whose score is 0 or more ({@code p >= 1/2}). Once a
 * query scans past the end, it and all later queries have no key, as in the expected form for probabilities of 0 and 1.
 *
 * <p>The backend computes the scores for one chunk of rows at a time. The scan is sequential: O(seqLenQ seqLenKv
 * valueHeadDim) per batch entry and head, on one thread.
 */
public final class MonotonicAttention {
    private final AttentionEngine engine;

    private MonotonicAttention(AttentionEngine engine) {
        this.engine = InvalidInputException.requirePresent("engine", engine, "AttentionEngine.AUTOMATIC");
    }

    /** Creates the mechanism on the automatically chosen backend. */
    public MonotonicAttention() {
        this(AttentionEngine.AUTOMATIC);
    }

    /** {@return this mechanism, with scores computed by the given engine} */
    public MonotonicAttention on(AttentionEngine engine) {
        return new MonotonicAttention(engine);
    }

    /**
     * The results of the hard form.
     *
     * @param output the values of the keys, {@code [batch, numHeads, seqLenQ, valueHeadDim]}; 0 for a query without a
     *     key
     * @param keys the key at which each query stops, i64 {@code [batch, numHeads, seqLenQ]}; -1 for no key
     */
    public record Hard(Tensor output, Tensor keys) {}

    /** {@return the keys and the output of the hard form} */
    public Hard hard(AttentionInputs inputs) {
        QueryRows.requirePlain("monotonic attention", inputs);
        AttentionShape s = inputs.problem().shape();
        Tensor output = Tensor.zeros(inputs.query().type(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
        Tensor keys = Tensor.zeros(DType.I64, s.batch(), s.numHeads(), s.seqLenQ());
        long[][] standing = new long[(int) s.batch()][(int) s.numHeads()];
        for (QueryRows rows : QueryRows.chunks(QueryRows.withoutValues(inputs))) {
            Tensor scores = scores(rows);
            for (int b = 0; b < s.batch(); b++) {
                for (int h = 0; h < s.numHeads(); h++) {
                    for (long i = 0; i < rows.count(); i++) {
                        long j = standing[b][h];
                        while (j < s.seqLenKv() && !(scores.get(b, h, i, j) >= 0)) {
                            j++;
                        }
                        standing[b][h] = j;
                        boolean stopped = j < s.seqLenKv();
                        keys.set(stopped ? j : -1, b, h, rows.from() + i);
                        if (stopped) {
                            output.select(0, b)
                                    .select(0, h)
                                    .select(0, rows.from() + i)
                                    .copyFrom(inputs.value()
                                            .select(0, b)
                                            .select(0, h / s.groupSize())
                                            .select(0, j));
                        }
                    }
                }
            }
        }
        return new Hard(output, keys);
    }

    /** {@return the output of the expected form, {@code [batch, numHeads, seqLenQ, valueHeadDim]}} */
    public Tensor expected(AttentionInputs inputs) {
        QueryRows.requirePlain("monotonic attention", inputs);
        AttentionShape s = inputs.problem().shape();
        Tensor output = Tensor.zeros(inputs.query().type(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
        double[][] weights = start(s);
        for (QueryRows rows : QueryRows.chunks(QueryRows.withoutValues(inputs))) {
            Tensor scores = scores(rows);
            for (int b = 0; b < s.batch(); b++) {
                for (int h = 0; h < s.numHeads(); h++) {
                    int head = (int) (b * s.numHeads() + h);
                    double[][] values = values(inputs, b, h);
                    for (long i = 0; i < rows.count(); i++) {
                        weights[head] = new Step(row(scores, b, h, i), weights[head]).weights;
                        double[] sum = new double[(int) s.valueHeadDim()];
                        for (int j = 0; j < values.length; j++) {
                            double weight = weights[head][j];
                            if (scores.get(b, h, i, j) != Double.NEGATIVE_INFINITY) {
                                for (int d = 0; d < sum.length; d++) {
                                    sum[d] += weight * values[j][d];
                                }
                            }
                        }
                        output.select(0, b)
                                .select(0, h)
                                .select(0, rows.from() + i)
                                .copyFrom(Tensor.of(sum, sum.length));
                    }
                }
            }
        }
        return output;
    }

    /** {@return the weights of the expected form, f64 {@code [batch, numHeads, seqLenQ, seqLenKv]}, for inspection} */
    public Tensor expectedWeights(AttentionInputs inputs) {
        QueryRows.requirePlain("monotonic attention", inputs);
        AttentionShape s = inputs.problem().shape();
        Tensor all = Tensor.zeros(DType.F64, s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        double[][] weights = start(s);
        for (QueryRows rows : QueryRows.chunks(QueryRows.withoutValues(inputs))) {
            Tensor scores = scores(rows);
            for (int b = 0; b < s.batch(); b++) {
                for (int h = 0; h < s.numHeads(); h++) {
                    int head = (int) (b * s.numHeads() + h);
                    for (long i = 0; i < rows.count(); i++) {
                        weights[head] = new Step(row(scores, b, h, i), weights[head]).weights;
                        all.select(0, b)
                                .select(0, h)
                                .select(0, rows.from() + i)
                                .copyFrom(Tensor.of(weights[head], weights[head].length));
                    }
                }
            }
        }
        return all;
    }

    /**
     * {@return the gradients of a loss that depends on the output of the expected form}
     *
     * @param outputGradient the gradient with respect to {@link #expected}
     */
    public AttentionGradients backward(AttentionInputs inputs, Tensor outputGradient) {
        QueryRows.requirePlain("monotonic attention", inputs);
        AttentionShape s = inputs.problem().shape();
        if (!outputGradient.hasShape(s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim())) {
            throw new InvalidInputException(
                    "The output gradient does not fit",
                    "[" + s.batch() + ", " + s.numHeads() + ", " + s.seqLenQ() + ", " + s.valueHeadDim() + "]",
                    outputGradient.toString(),
                    "it has the shape of the output");
        }
        List<QueryRows> chunks = QueryRows.chunks(QueryRows.withoutValues(inputs));
        double[][][] before = new double[chunks.size()][][]; // the weights of the row before each chunk
        double[][] weights = start(s);
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            before[chunk] = weights.clone();
            Tensor scores = scores(chunks.get(chunk));
            for (int head = 0; head < weights.length; head++) {
                for (Step step : walk(scores, s, head, weights[head])) {
                    weights[head] = step.weights;
                }
            }
        }
        var sum = new GradientSum(inputs);
        var pullback = new ScorePullback(engine);
        double[][] later = new double[weights.length][(int) s.seqLenKv()]; // weight gradients from later rows
        for (int chunk = chunks.size() - 1; chunk >= 0; chunk--) {
            QueryRows rows = chunks.get(chunk);
            Tensor scores = scores(rows);
            Tensor scoreGradient = Tensor.zeros(scores.type(), scores.shape());
            for (int head = 0; head < weights.length; head++) {
                back(inputs, rows, scores, head, before[chunk][head], outputGradient, later, scoreGradient, sum);
            }
            pullback.add(rows, scores, scoreGradient, sum);
        }
        return sum.total();
    }

    private static void back(
            AttentionInputs inputs,
            QueryRows rows,
            Tensor scores,
            int head,
            double[] before,
            Tensor outputGradient,
            double[][] later,
            Tensor scoreGradient,
            GradientSum sum) {
        AttentionShape s = inputs.problem().shape();
        long b = head / s.numHeads();
        long h = head % s.numHeads();
        double[][] values = values(inputs, b, h);
        Tensor ofValues = sum.value().select(0, b).select(0, h / s.groupSize());
        Step[] steps = walk(scores, s, head, before);
        for (int i = steps.length - 1; i >= 0; i--) {
            double[] up = row(outputGradient, b, h, rows.from() + i);
            double[] ofWeights = later[head];
            for (int j = 0; j < values.length; j++) {
                if (scores.get(b, h, i, j) == Double.NEGATIVE_INFINITY) {
                    continue;
                }
                for (int d = 0; d < up.length; d++) {
                    ofWeights[j] += up[d] * values[j][d];
                    ofValues.set(ofValues.get(j, d) + steps[i].weights[j] * up[d], j, d);
                }
            }
            later[head] = steps[i].back(ofWeights, scoreGradient, b, h, i);
        }
    }

    private static Step[] walk(Tensor scores, AttentionShape s, int head, double[] before) {
        Step[] steps = new Step[(int) scores.size(2)];
        double[] weights = before;
        for (int i = 0; i < steps.length; i++) {
            steps[i] = new Step(row(scores, head / s.numHeads(), head % s.numHeads(), i), weights);
            weights = steps[i].weights;
        }
        return steps;
    }

    /** Returns the initial weights, which stand for the row before the first query: the first scan starts at key 0. */
    private static double[][] start(AttentionShape s) {
        double[][] weights = new double[Math.toIntExact(s.batch() * s.numHeads())][Math.toIntExact(s.seqLenKv())];
        for (double[] row : weights) {
            row[0] = 1;
        }
        return weights;
    }

    private Tensor scores(QueryRows rows) {
        return Objects.requireNonNull(engine.forward(rows.with(rows.options().withScores(ScoreStage.MODIFIED)))
                .scores());
    }

    private static double[] row(Tensor tensor, long b, long h, long i) {
        return tensor.select(0, b).select(0, h).select(0, i).toDoubleArray();
    }

    private static double[][] values(AttentionInputs inputs, long b, long h) {
        Tensor values = inputs.value()
                .select(0, b)
                .select(0, h / inputs.problem().shape().groupSize());
        double[][] rows = new double[Math.toIntExact(values.size(0))][];
        for (int j = 0; j < rows.length; j++) {
            rows[j] = values.select(0, j).toDoubleArray();
        }
        return rows;
    }

    /** The scan of one query. */
    private static final class Step {
        private final double[] stop;
        private final double[] reach;
        final double[] weights;

        Step(double[] scores, double[] before) {
            int keys = scores.length;
            stop = new double[keys];
            reach = new double[keys];
            weights = new double[keys];
            double walking = 0;
            for (int j = 0; j < keys; j++) {
                stop[j] = 1 / (1 + Math.exp(-scores[j]));
                reach[j] = walking + before[j];
                weights[j] = stop[j] * reach[j];
                walking = (1 - stop[j]) * reach[j];
            }
        }

        /** Writes the gradients of the scores, and returns the gradients of the weights of the previous query. */
        double[] back(double[] ofWeights, Tensor scoreGradient, long b, long h, long i) {
            double[] ofReach = new double[stop.length];
            double next = 0;
            for (int j = stop.length - 1; j >= 0; j--) {
                double ofStop = reach[j] * (ofWeights[j] - next);
                scoreGradient.set(ofStop * stop[j] * (1 - stop[j]), b, h, i, j);
                ofReach[j] = stop[j] * ofWeights[j] + (1 - stop[j]) * next;
                next = ofReach[j];
            }
            return ofReach;
        }
    }
}
