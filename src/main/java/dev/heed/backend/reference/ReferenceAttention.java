package dev.heed.backend.reference;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Attention in double, one query at a time: all scores of the query, their softmax, then the weighted sum of the values.
 */
final class ReferenceAttention extends AttentionPlan {
    ReferenceAttention(AttentionProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "reference attention, double, one row at a time";
    }

    @Override
    protected void runForward(AttentionInputs inputs, AttentionResult result) {
        AttentionShape s = problem().shape();
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                double[][] keys = matrix(inputs.key(), b, h / s.groupSize());
                double[][] values = matrix(inputs.value(), b, h / s.groupSize());
                PairRule rule = PairRule.of(inputs.options().score(), null, keys, b, h);
                for (long i = 0; i < s.seqLenQ(); i++) {
                    ScoreRow row = new ScoreRow(inputs, rule, b, h, i);
                    write(result, row, row.pool(values), b, h, i);
                }
            }
        }
    }

    private void write(AttentionResult result, ScoreRow row, double[] output, long b, long h, long i) {
        store(result.output(), output, b, h, i);
        result.setRowStatistics(row.max, row.sum, b, h, i);
        if (result.weights() != null) {
            store(result.weights(), row.weights, b, h, i);
        }
        if (result.rowWeights() != null) {
            List<Long> rows = row.options.rows();
            for (int r = 0; r < rows.size(); r++) {
                if (rows.get(r) == i) {
                    store(result.rowWeights(), row.weights, b, h, r);
                }
            }
        }
        if (result.topKWeights() != null && result.topKIndices() != null) {
            int[] order = IntStream.range(0, row.weights.length)
                    .filter(j -> row.takesPart(j))
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer j) -> -row.weights[j]))
                    .limit(problem().topK())
                    .mapToInt(Integer::intValue)
                    .toArray();
            for (int n = 0; n < problem().topK(); n++) {
                boolean there = n < order.length;
                result.topKWeights().set(there ? row.weights[order[n]] : 0, b, h, i, n);
                result.topKIndices().set(there ? order[n] : -1, b, h, i, n);
            }
        }
        if (result.scores() != null) {
            store(result.scores(), row.savedScores, b, h, i);
        }
    }

    @Override
    protected void runBackward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        AttentionShape s = problem().shape();
        ScoreFunction sums = gradients.score() == null
                ? null
                : gradients.score().map(place -> Tensor.zeros(DType.F64, place.shape()));
        boolean given = forward.isMerged();
        Tensor rowMax = forward.rowMax();
        Tensor rowSum = forward.rowSum();
        double[] sinkGradient = new double[(int) s.numHeads()];
        Tensor bias = gradients.bias();
        Tensor biasGradient = bias == null ? null : Tensor.zeros(DType.F64, bias.shape());
        Tensor biasCells = biasGradient == null // gradients of all cells that share a bias element are added
                ? null
                : biasGradient.expand(s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        for (long b = 0; b < s.batch(); b++) {
            for (long kvHead = 0; kvHead < s.numKvHeads(); kvHead++) {
                double[][] keys = matrix(inputs.key(), b, kvHead);
                double[][] values = matrix(inputs.value(), b, kvHead);
                double[][] dKeys = new double[keys.length][(int) s.keyHeadDim()];
                double[][] dValues = new double[keys.length][(int) s.valueHeadDim()];
                for (long h = kvHead * s.groupSize(); h < (kvHead + 1) * s.groupSize(); h++) {
                    PairRule rule = PairRule.of(inputs.options().score(), sums, keys, b, h);
                    for (long i = 0; i < s.seqLenQ(); i++) {
                        ScoreRow row = new ScoreRow(inputs, rule, b, h, i);
                        if (given && rowMax != null && rowSum != null) {
                            row.normalise(rowMax.get(b, h, i), rowSum.get(b, h, i));
                        }
                        double[] dOut = row(outputGradient, b, h, i);
                        double dLse = lseGradient == null ? 0 : lseGradient.get(b, h, i);
                        double[] dQuery = new double[(int) s.headDim()];
                        if (row.sum != 0) {
                            double[] dWeights = new double[keys.length];
                            double delta = 0;
                            for (int j = 0; j < keys.length; j++) {
                                if (row.takesPart(j)) {
                                    double keepScale = row.dropoutFactor(j);
                                    if (keepScale != 0) {
                                        axpy(dValues[j], row.weights[j] * keepScale, dOut);
                                        dWeights[j] = dot(dOut, values[j]) * keepScale;
                                    }
                                    delta += row.weights[j] * dWeights[j];
                                }
                            }
                            if (given) {
                                delta = delta(dOut, row(forward.output(), b, h, i));
                            }
                            for (int j = 0; j < keys.length; j++) {
                                if (row.takesPart(j)) {
                                    double dScore = row.weights[j] * (dWeights[j] - delta + dLse);
                                    if (biasCells != null) {
                                        long cell = biasCells.position(b, h, i, j);
                                        biasCells.put(cell, biasCells.at(cell) + dScore);
                                    }
                                    rule.gradient(j, dScore * row.softcapDerivative(j), dQuery, dKeys[j]);
                                }
                            }
                            rule.endQuery(dQuery);
                            sinkGradient[(int) h] += row.sinkWeight * (dLse - delta);
                        }
                        store(gradients.query(), dQuery, b, h, i);
                    }
                    rule.endHead(dKeys);
                }
                for (int j = 0; j < keys.length; j++) {
                    store(gradients.key(), dKeys[j], b, kvHead, j);
                    store(gradients.value(), dValues[j], b, kvHead, j);
                }
            }
        }
        if (bias != null && biasGradient != null) {
            bias.copyFrom(biasGradient);
        }
        if (gradients.score() != null && sums != null) {
            gradients
                    .score()
                    .parameters()
                    .forEach((name, place) -> place.copyFrom(
                            Objects.requireNonNull(sums.parameters().get(name))));
        }
        if (gradients.sink() != null) {
            gradients.sink().copyFrom(Tensor.of(sinkGradient, s.numHeads()));
        }
    }

    /**
     * {@return delta as the sum of {@code dO * O}, which includes keys that are not among the inputs} An element of O that is
     * exactly 0, as in a row without attended keys, adds nothing, even if its gradient is non-finite.
     */
    private static double delta(double[] dOut, double[] output) {
        double sum = 0;
        for (int d = 0; d < output.length; d++) {
            sum += output[d] == 0 ? 0 : dOut[d] * output[d];
        }
        return sum;
    }

    static double[][] matrix(Tensor tensor, long b, long h) {
        double[][] rows = new double[(int) tensor.size(2)][];
        for (int j = 0; j < rows.length; j++) {
            rows[j] = row(tensor, b, h, j);
        }
        return rows;
    }

    static double[] row(Tensor tensor, long b, long h, long i) {
        double[] row = new double[(int) tensor.size(3)];
        long position = tensor.position(b, h, i, 0);
        for (int d = 0; d < row.length; d++) {
            row[d] = tensor.at(position + d * tensor.stride(3));
        }
        return row;
    }

    static void store(Tensor tensor, double[] row, long b, long h, long i) {
        long position = tensor.position(b, h, i, 0);
        for (int d = 0; d < row.length; d++) {
            tensor.put(position + d * tensor.stride(3), row[d]);
        }
    }

    static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int d = 0; d < x.length; d++) {
            sum += x[d] * y[d];
        }
        return sum;
    }

    static void axpy(double[] y, double factor, double[] x) {
        for (int d = 0; d < y.length; d++) {
            y[d] += factor * x[d];
        }
    }
}
