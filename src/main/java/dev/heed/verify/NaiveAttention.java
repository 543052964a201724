package dev.heed.verify;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.mask.BoundMask;
import dev.heed.random.Philox;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Attention in f32 by the textbook formula: it computes all scores of a query before the softmax. Weights are rounded
 * to the storage type before they are multiplied by the values. If tf32 is allowed, the factors of all products are
 * rounded to tf32.
 */
final class NaiveAttention extends AttentionPlan {
    NaiveAttention(AttentionProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "naive attention, f32";
    }

    /** One row of attention: scores at three stages, weights, dropout factors, maximum and sum. */
    private final class Row {
        final float[] q;
        final float[] raw;
        final float[] capped;
        final float[] s;
        final float[] p;
        final float[] keep;
        float max;
        float sum;
        float sinkWeight;

        Row(
                AttentionInputs in,
                BoundMask mask,
                @Nullable Tensor bias,
                NaiveScore score,
                float[] query,
                float[][] keys,
                long b,
                long h,
                long i) {
            AttentionOptions o = in.options();
            AttentionShape shape = problem().shape();
            int n = keys.length;
            q = query;
            raw = new float[n];
            capped = new float[n];
            s = new float[n];
            p = new float[n];
            keep = new float[n];
            float sink = o.sink() == null
                    ? Float.NEGATIVE_INFINITY
                    : (float) o.sink().get(h);
            max = sink;
            for (int j = 0; j < n; j++) {
                raw[j] = score.score(q, keys[j]);
                float cap = o.softcap() == null ? 0 : o.softcap().floatValue();
                capped[j] = o.softcap() == null ? raw[j] : cap * (float) Math.tanh(raw[j] / cap);
                float added = bias == null ? 0 : (float) bias.get(b, h, i, j);
                if (o.alibiSlopes() != null) {
                    added -= (float) o.alibiSlopes().get(h) * Math.abs(i + shape.seqLenKv() - shape.seqLenQ() - j);
                }
                boolean attended = mask.takesPart(b, h, i, j) && added != Float.NEGATIVE_INFINITY;
                s[j] = attended ? capped[j] + added : Float.NEGATIVE_INFINITY;
                keep[j] = o.dropout() == 0
                        ? 1
                        : Philox.uniform(o.seed(), b, h, i, j) < o.dropout() ? 0 : 1 / (1 - (float) o.dropout());
                max = Math.max(max, s[j]);
            }
            if (max == Float.NEGATIVE_INFINITY) {
                return;
            }
            sum = (float) Math.exp(sink - max);
            for (int j = 0; j < n; j++) {
                sum += attended(j) ? (float) Math.exp(s[j] - max) : 0;
            }
            for (int j = 0; j < n; j++) {
                p[j] = attended(j) ? (float) Math.exp(s[j] - max) / sum : 0;
            }
            sinkWeight = (float) Math.exp(sink - max) / sum;
        }

        boolean attended(int j) {
            return s[j] != Float.NEGATIVE_INFINITY;
        }
    }

    @Override
    protected void runForward(AttentionInputs in, AttentionResult result) {
        AttentionShape shape = problem().shape();
        BoundMask mask = in.options().mask().on(shape.seqLenQ(), shape.seqLenKv());
        Tensor bias = expandedBias(in.options(), shape);
        for (long b = 0; b < shape.batch(); b++) {
            for (long h = 0; h < shape.numHeads(); h++) {
                float[][] keys = rows(in.key(), b, h / shape.groupSize());
                float[][] values = rows(in.value(), b, h / shape.groupSize());
                var score = new NaiveScore(in.options().score(), null, b, h);
                float[][] met = score.keys(keys);
                float[][] queries = score.queries(rows(in.query(), b, h));
                for (int i = 0; i < shape.seqLenQ(); i++) {
                    Row row = new Row(in, mask, bias, score, queries[i], met, b, h, i);
                    float[] output = new float[(int) shape.valueHeadDim()];
                    for (int j = 0; j < keys.length; j++) {
                        if (row.attended(j) && row.keep[j] != 0) {
                            axpy(output, rounded(row.p[j] * row.keep[j]), values[j]);
                        }
                    }
                    write(in, result, row, output, b, h, i);
                }
            }
        }
    }

    private void write(AttentionInputs in, AttentionResult result, Row row, float[] output, long b, long h, long i) {
        store(result.output(), output, b, h, i);
        result.setRowStatistics(row.max, row.sum, b, h, i);
        if (result.lse() != null) {
            result.lse().set(row.sum == 0 ? Float.NEGATIVE_INFINITY : row.max + (float) Math.log(row.sum), b, h, i);
        }
        if (result.weights() != null) {
            store(result.weights(), row.p, b, h, i);
        }
        if (result.rowWeights() != null) {
            for (int r = 0; r < in.options().rows().size(); r++) {
                if (in.options().rows().get(r) == i) {
                    store(result.rowWeights(), row.p, b, h, r);
                }
            }
        }
        if (result.topKWeights() != null && result.topKIndices() != null) {
            boolean[] taken = new boolean[row.p.length];
            for (int n = 0; n < problem().topK(); n++) {
                int best = -1;
                for (int j = 0; j < row.p.length; j++) {
                    if (row.attended(j) && !taken[j] && (best < 0 || row.p[j] > row.p[best])) {
                        best = j;
                    }
                }
                result.topKWeights().set(best < 0 ? 0 : row.p[best], b, h, i, n);
                result.topKIndices().set(best, b, h, i, n);
                if (best >= 0) {
                    taken[best] = true;
                }
            }
        }
        if (result.scores() != null) {
            ScoreStage stage = in.options().scores();
            float[] stageScores =
                    stage == ScoreStage.SCORE ? row.raw : stage == ScoreStage.SOFTCAPPED ? row.capped : row.s;
            store(result.scores(), stageScores, b, h, i);
        }
    }

    @Override
    protected void runBackward(
            AttentionInputs in,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        AttentionShape shape = problem().shape();
        BoundMask mask = in.options().mask().on(shape.seqLenQ(), shape.seqLenKv());
        Tensor bias = expandedBias(in.options(), shape);
        Tensor biasSum = gradients.bias() == null
                ? null
                : Tensor.zeros(DType.F32, gradients.bias().shape());
        Tensor biasCells = biasSum == null
                ? null
                : biasSum.expand(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv());
        float[] sinkSum = new float[(int) shape.numHeads()];
        ScoreFunction sums = gradients.score() == null
                ? null
                : gradients.score().map(place -> Tensor.zeros(DType.F32, place.shape()));
        for (long b = 0; b < shape.batch(); b++) {
            for (long kvHead = 0; kvHead < shape.numKvHeads(); kvHead++) {
                float[][] keys = rows(in.key(), b, kvHead);
                float[][] values = rows(in.value(), b, kvHead);
                float[][] dKeys = new float[keys.length][(int) shape.keyHeadDim()];
                float[][] dValues = new float[keys.length][(int) shape.valueHeadDim()];
                for (long h = kvHead * shape.groupSize(); h < (kvHead + 1) * shape.groupSize(); h++) {
                    var score = new NaiveScore(in.options().score(), sums, b, h);
                    float[][] raw = rows(in.query(), b, h);
                    float[][] queries = score.queries(raw);
                    float[][] met = score.keys(keys);
                    float[][] dQueries = new float[queries.length][queries[0].length];
                    float[][] dMet = new float[met.length][met[0].length];
                    for (int i = 0; i < shape.seqLenQ(); i++) {
                        Row row = new Row(in, mask, bias, score, queries[i], met, b, h, i);
                        float[] dOut = row(outputGradient, b, h, i);
                        float[] dWeights = new float[keys.length];
                        float delta = 0;
                        for (int j = 0; j < keys.length; j++) {
                            if (row.attended(j) && row.keep[j] != 0) {
                                axpy(dValues[j], rounded(row.p[j] * row.keep[j]), dOut);
                                dWeights[j] = dot(dOut, values[j]) * row.keep[j];
                                delta += row.p[j] * dWeights[j];
                            }
                        }
                        float dLse = lseGradient == null ? 0 : (float) lseGradient.get(b, h, i);
                        for (int j = 0; j < keys.length; j++) {
                            if (row.attended(j)) {
                                float dScore = row.p[j] * (dWeights[j] - delta + dLse);
                                if (biasCells != null) {
                                    biasCells.set(biasCells.get(b, h, i, j) + dScore, b, h, i, j);
                                }
                                float derivative = 1;
                                if (in.options().softcap() != null) {
                                    float t = row.capped[j]
                                            / in.options().softcap().floatValue();
                                    derivative = 1 - t * t;
                                }
                                score.gradient(rounded(dScore * derivative), row.q, met[j], dQueries[i], dMet[j]);
                            }
                        }
                        sinkSum[(int) h] += row.sinkWeight * (dLse - delta);
                    }
                    float[][] dRaw = score.queriesBack(raw, dQueries);
                    for (int i = 0; i < dRaw.length; i++) {
                        store(gradients.query(), dRaw[i], b, h, i);
                    }
                    float[][] dHeadKeys = score.keysBack(keys, dMet);
                    for (int j = 0; j < keys.length; j++) {
                        axpy(dKeys[j], 1, dHeadKeys[j]);
                    }
                }
                for (int j = 0; j < keys.length; j++) {
                    store(gradients.key(), dKeys[j], b, kvHead, j);
                    store(gradients.value(), dValues[j], b, kvHead, j);
                }
            }
        }
        if (gradients.bias() != null && biasSum != null) {
            gradients.bias().copyFrom(biasSum);
        }
        if (gradients.score() != null && sums != null) {
            gradients
                    .score()
                    .parameters()
                    .forEach((name, place) -> place.copyFrom(
                            Objects.requireNonNull(sums.parameters().get(name))));
        }
        if (gradients.sink() != null) {
            gradients.sink().copyFrom(Tensor.of(sinkSum, shape.numHeads()));
        }
    }

    private float rounded(float weight) {
        DType type = problem().type();
        boolean narrow = (type == DType.F16 || type == DType.BF16) && problem().outputType() != DType.F64;
        return narrow ? (float) type.round(weight) : factor(weight);
    }

    private float factor(float x) {
        return problem().tf32() && problem().type() == DType.F32 ? ErrorBudget.tf32(x) : x;
    }

    private static @Nullable Tensor expandedBias(AttentionOptions options, AttentionShape s) {
        Tensor bias = options.bias();
        return bias == null ? null : bias.expand(s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
    }

    private float[][] rows(Tensor tensor, long b, long h) {
        float[][] rows = new float[(int) tensor.size(2)][];
        Arrays.setAll(rows, j -> row(tensor, b, h, j));
        return rows;
    }

    private float[] row(Tensor tensor, long b, long h, long i) {
        float[] row = new float[(int) tensor.size(3)];
        long position = tensor.position(b, h, i, 0);
        for (int d = 0; d < row.length; d++) {
            row[d] = factor((float) tensor.at(position + d * tensor.stride(3)));
        }
        return row;
    }

    private static void store(Tensor tensor, float[] row, long b, long h, long i) {
        long position = tensor.position(b, h, i, 0);
        for (int d = 0; d < row.length; d++) {
            tensor.put(position + d * tensor.stride(3), row[d]);
        }
    }

    private static float dot(float[] x, float[] y) {
        float sum = 0;
        for (int d = 0; d < x.length; d++) {
            sum += x[d] * y[d];
        }
        return sum;
    }

    private static void axpy(float[] y, float factor, float[] x) {
        for (int d = 0; d < y.length; d++) {
            y[d] += factor * x[d];
        }
    }
}
