package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;

/**
 * Tests of properties that a row of attention has for any input: it is a weighted mean, and attentions over slices of the
 * keys merge into the attention over all keys.
 */
interface RowContract extends ContractChapter {
    AttentionOptions LSE = AttentionOptions.DEFAULT.withLse();

    @EveryShape
    default void weightsOfEveryRowSumToOne(String shape) {
        Qkv qkv = Qkv.of(shape);
        for (Mask mask : new Mask[] {Mask.NONE, Mask.causal(CausalAlignment.TOP_LEFT)}) {
            AttentionResult result =
                    forward(qkv.with(AttentionOptions.DEFAULT.withMask(mask).withWeights()));
            double[] weights = lastAxisSums(Objects.requireNonNull(result.weights()));
            for (double sum : weights) {
                assertEquals(1, sum, qkv.statisticsTolerance());
            }
        }
    }

    @EveryShape
    default void valuesOfOneGiveOnes(String shape) {
        Qkv qkv = Qkv.of(shape);
        Tensor ones = qkv.value().copy().fill(1);
        Tensor output = output(qkv.meeting(qkv.key(), ones).with(AttentionOptions.DEFAULT));
        assertClose(output.copy().fill(1), output, qkv.outputTolerance());
    }

    @EveryShape
    default void keysInAnotherOrderWithTheirValuesChangeNothing(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        int[] order = new RandomTensors(3).permutation((int) s.seqLenKv());
        Tensor bias = new RandomTensors(4).normal(DType.F32, s.seqLenQ(), s.seqLenKv());
        AttentionResult straight = forward(qkv.with(LSE.withBias(bias)));
        AttentionResult permuted = forward(qkv.meeting(reordered(qkv.key(), 2, order), reordered(qkv.value(), 2, order))
                .with(LSE.withBias(reordered(bias, 1, order))));
        assertClose(straight.output(), permuted.output(), 2 * qkv.outputTolerance());
        assertClose(lse(straight), lse(permuted), 8 * qkv.statisticsTolerance());
    }

    @EveryShape
    default void constantAddedToTheBiasOfARowOnlyShiftsItsLse(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        Tensor bias = new RandomTensors(5).normal(qkv.type().accumulator(), s.seqLenQ(), s.seqLenKv());
        Tensor shifted = bias.copy();
        for (long i = 0; i < s.seqLenQ(); i++) {
            for (long j = 0; j < s.seqLenKv(); j++) {
                shifted.set(bias.get(i, j) + 4 - i % 9, i, j);
            }
        }
        AttentionResult before = forward(qkv.with(LSE.withBias(bias).withWeights()));
        AttentionResult after = forward(qkv.with(LSE.withBias(shifted).withWeights()));
        Tensor expected = lse(before).copy();
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < s.seqLenQ(); i++) {
                    expected.set(expected.get(b, h, i) + 4 - i % 9, b, h, i);
                }
            }
        }
        assertClose(before.output(), after.output(), 4 * qkv.outputTolerance());
        assertClose(weights(before), weights(after), 4 * qkv.statisticsTolerance());
        assertClose(expected, lse(after), 8 * qkv.statisticsTolerance());
    }

    @EveryShape
    default void partsOfTheKeysMergeToTheWhole(String shape) {
        Qkv qkv = Qkv.of(shape);
        long n = qkv.shape().seqLenKv();
        AttentionResult whole = forward(qkv.with(LSE));
        for (long cut : new long[] {1, n / 2, n - 1}) {
            if (cut > 0 && cut < n) {
                AttentionResult merged = Attention.merge(keys(qkv, 0, cut), keys(qkv, cut, n));
                assertClose(whole.output(), merged.output(), 2 * qkv.outputTolerance());
                assertClose(lse(whole), lse(merged), 4 * qkv.statisticsTolerance());
            }
        }
    }

    /** Also tests the types of partial results; the whole attention of the slices is rounded once, in the merge. */
    @EveryShape
    default void partialResultsOfSlicesMergeToTheWhole(String shape) {
        Qkv qkv = Qkv.of(shape);
        long n = qkv.shape().seqLenKv();
        AttentionResult whole = forward(qkv.with(LSE));
        for (DType partial : new DType[] {DType.F32, DType.F64}) {
            AttentionOptions options = AttentionOptions.DEFAULT.withPartial(partial);
            assumeSupported(qkv.with(options).problem());
            DType expected = partial == DType.F64 ? DType.F64 : qkv.type().accumulator();
            AttentionStates states = AttentionStates.empty(
                    qkv.shape().batch(),
                    qkv.shape().numHeads(),
                    qkv.shape().seqLenQ(),
                    qkv.shape().valueHeadDim(),
                    0);
            long step = Math.ceilDiv(n, 3);
            for (long from = 0; from < n; from += step) {
                long to = Math.min(n, from + step);
                AttentionResult slice = forward(
                        qkv.meeting(qkv.key().slice(2, from, to), qkv.value().slice(2, from, to))
                                .with(options));
                assertEquals(expected, slice.output().type());
                assertEquals(expected, lse(slice).type());
                states.add(slice);
            }
            AttentionResult merged = states.result(qkv.type());
            assertClose(whole.output(), merged.output(), qkv.outputTolerance());
            assertClose(lse(whole), lse(merged), 4 * qkv.statisticsTolerance());
        }
    }

    @EveryShape
    default void everyRowIsTheStateOfItsKeysAddedOneByOne(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        AttentionResult result = forward(qkv.with(LSE));
        for (long h = 0; h < s.numHeads(); h++) {
            AttentionStates states = AttentionStates.empty(1, 1, 1, s.valueHeadDim(), 0);
            long i = s.seqLenQ() - 1;
            for (long j = 0; j < s.seqLenKv(); j++) {
                double score = 0;
                for (long d = 0; d < s.headDim(); d++) {
                    score += qkv.query().get(0, h, i, d) * qkv.key().get(0, h / s.groupSize(), j, d);
                }
                Tensor value = row(qkv.value(), 0, h / s.groupSize(), j).reshape(1, 1, 1, s.valueHeadDim());
                states.add(AttentionResult.into(value)
                        .withLse(Tensor.of(new double[] {score / Math.sqrt(s.headDim())}, 1, 1, 1)));
            }
            Tensor expected = states.output(DType.F64).reshape(s.valueHeadDim());
            assertClose(expected, row(result.output(), 0, h, i), qkv.outputTolerance());
            assertEquals(states.lse().get(0, 0, 0), lse(result).get(0, h, i), 4 * qkv.statisticsTolerance());
        }
    }

    @EveryShape
    default void chunksOfQueriesAreOneShot(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        long offset = Math.max(0, s.seqLenKv() - s.seqLenQ());
        AttentionResult whole = forward(qkv.with(LSE.causal(CausalAlignment.offset(offset))));
        long chunk = Math.max(1, s.seqLenQ() / 3);
        for (long from = 0; from < s.seqLenQ(); from += chunk) {
            long to = Math.min(s.seqLenQ(), from + chunk);
            Qkv part = new Qkv(qkv.query().slice(2, from, to), qkv.key(), qkv.value());
            AttentionResult result = forward(part.with(LSE.causal(CausalAlignment.offset(offset + from))));
            assertClose(whole.output().slice(2, from, to), result.output(), qkv.outputTolerance());
            assertClose(lse(whole).slice(2, from, to), lse(result), qkv.statisticsTolerance());
        }
    }

    @EveryShape
    default void causalRowIgnoresLaterKeys(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        AttentionOptions causal = LSE.causal(CausalAlignment.TOP_LEFT);
        AttentionResult clean = forward(qkv.with(causal));
        for (long i = 0; i < Math.min(s.seqLenQ(), s.seqLenKv() - 1); i += 1 + s.seqLenQ() / 3) {
            Qkv poisoned = qkv.copy();
            poisoned.key().slice(2, i + 1, s.seqLenKv()).fill(Double.NaN);
            poisoned.value().slice(2, i + 1, s.seqLenKv()).fill(Double.NaN);
            AttentionResult dirty = forward(poisoned.with(causal));
            assertSameBits(clean.output().slice(2, 0, i + 1), dirty.output().slice(2, 0, i + 1));
            assertSameBits(lse(clean).slice(2, 0, i + 1), lse(dirty).slice(2, 0, i + 1));
        }
    }

    @EveryShape
    default void sharedKeyHeadsAreRepeatedHeads(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionResult shared = forward(qkv.with(LSE));
        long group = qkv.shape().groupSize();
        AttentionResult repeated = forward(qkv.meeting(repeated(qkv.key(), group), repeated(qkv.value(), group))
                .with(LSE));
        assertClose(shared.output(), repeated.output(), qkv.outputTolerance());
        assertClose(lse(shared), lse(repeated), qkv.statisticsTolerance());
    }

    @EveryShape
    default void veryLargeSoftcapIsNone(String shape) {
        Qkv qkv = Qkv.of(shape);
        assertClose(
                output(qkv.with(AttentionOptions.DEFAULT)),
                output(qkv.with(AttentionOptions.DEFAULT.withSoftcap(1e8))),
                4 * qkv.outputTolerance());
    }

    @EveryShape
    default void scaleOfZeroAverages(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        AttentionResult result = forward(qkv.with(LSE.withScale(0)));
        for (long h = 0; h < s.numHeads(); h++) {
            double[] mean = new double[(int) s.valueHeadDim()];
            for (long j = 0; j < s.seqLenKv(); j++) {
                double[] value = row(qkv.value(), 0, h / s.groupSize(), j).toDoubleArray();
                Arrays.setAll(mean, d -> mean[d] + value[d] / s.seqLenKv());
            }
            assertClose(Tensor.of(mean, mean.length), row(result.output(), 0, h, 0), qkv.outputTolerance());
        }
        assertClose(lse(result).copy().fill(Math.log(s.seqLenKv())), lse(result), qkv.statisticsTolerance());
    }

    @EveryShape
    default void scaleOfInfinityPicksTheLargestScore(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        Tensor output = output(qkv.with(AttentionOptions.DEFAULT.withScale(1e6)));
        for (long h = 0; h < s.numHeads(); h++) {
            double best = Double.NEGATIVE_INFINITY;
            long winner = 0;
            for (long j = 0; j < s.seqLenKv(); j++) {
                double score = 0;
                for (long d = 0; d < s.headDim(); d++) {
                    score += qkv.query().get(0, h, 0, d) * qkv.key().get(0, h / s.groupSize(), j, d);
                }
                winner = score > best ? j : winner;
                best = Math.max(best, score);
            }
            assertClose(row(qkv.value(), 0, h / s.groupSize(), winner), row(output, 0, h, 0), qkv.outputTolerance());
        }
    }

    @EveryShape
    default void oneKeyReturnsItsValue(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        AttentionResult result =
                forward(qkv.meeting(qkv.key().slice(2, 0, 1), qkv.value().slice(2, 0, 1))
                        .with(LSE.withWeights()));
        assertAll(1, result.weights());
        for (long h = 0; h < s.numHeads(); h++) {
            for (long i = 0; i < s.seqLenQ(); i++) {
                assertSameBits(row(qkv.value(), 0, h / s.groupSize(), 0), row(result.output(), 0, h, i));
            }
        }
    }

    /** A scale of 0 makes all weights equal, so only the order of the keys can rank them. */
    @EveryShape
    default void amongEqualWeightsTheLowerKeyComesFirst(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        int k = (int) Math.min(5, s.seqLenKv());
        AttentionResult result = forward(qkv.with(AttentionOptions.DEFAULT
                .withScale(0)
                .causal(CausalAlignment.TOP_LEFT)
                .withTopK(k)));
        Tensor keys = Objects.requireNonNull(result.topKIndices());
        for (long i = 0; i < s.seqLenQ(); i++) {
            for (long n = 0; n < k; n++) {
                assertEquals(n <= i ? n : -1, keys.get(0, s.numHeads() - 1, i, n), "row " + i);
            }
        }
    }

    private AttentionResult keys(Qkv qkv, long from, long to) {
        return forward(qkv.meeting(qkv.key().slice(2, from, to), qkv.value().slice(2, from, to))
                .with(LSE));
    }

    private static Tensor lse(AttentionResult result) {
        return Objects.requireNonNull(result.lse());
    }

    private static Tensor weights(AttentionResult result) {
        return Objects.requireNonNull(result.weights());
    }

    private static Tensor row(Tensor tensor, long b, long h, long i) {
        return tensor.select(0, b).select(0, h).select(0, i).copy();
    }

    private static Tensor repeated(Tensor heads, long group) {
        return heads.unsqueeze(2)
                .expand(heads.size(0), heads.size(1), group, heads.size(2), heads.size(3))
                .reshape(heads.size(0), heads.size(1) * group, heads.size(2), heads.size(3));
    }

    private static Tensor reordered(Tensor tensor, int axis, int[] order) {
        Tensor reordered = Tensor.zeros(tensor.type(), tensor.shape());
        for (int j = 0; j < order.length; j++) {
            reordered.select(axis, j).copyFrom(tensor.select(axis, order[j]));
        }
        return reordered;
    }

    private static double[] lastAxisSums(Tensor tensor) {
        int n = (int) tensor.size(-1);
        double[] cells = tensor.toDoubleArray();
        double[] sums = new double[cells.length / n];
        for (int i = 0; i < cells.length; i++) {
            sums[i / n] += cells[i];
        }
        return sums;
    }
}
