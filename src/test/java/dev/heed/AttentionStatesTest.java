package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertRefused;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Tests of the algebra of states, with the keys of one row added one by one, and of their bytes. */
class AttentionStatesTest {
    private static final int WIDTH = 3;
    private static final double NEGATIVE_INFINITY = Double.NEGATIVE_INFINITY;
    private static final double TOLERANCE = 1e-12;

    /** Random scores and values of the keys of one row. Some scores are minus infinity, some are larger by 700. */
    private static final class Keys {
        private final double[] scores;
        private final double[][] values;

        Keys(long seed, int count) {
            var random = new Random(seed);
            scores = new double[count];
            values = new double[count][WIDTH];
            for (int j = 0; j < count; j++) {
                scores[j] = random.nextInt(5) == 0 ? NEGATIVE_INFINITY : 10 * random.nextGaussian();
                scores[j] += random.nextInt(8) == 0 ? 700 : 0;
                Arrays.setAll(values[j], d -> random.nextGaussian());
            }
        }

        AttentionStates states(int from, int to) {
            AttentionStates states = none();
            for (int j = from; j < to; j++) {
                states.add(key(scores[j], values[j]));
            }
            return states;
        }

        double lse(double sink) {
            double max = Math.max(sink, Arrays.stream(scores).max().orElse(NEGATIVE_INFINITY));
            if (max == NEGATIVE_INFINITY) {
                return max;
            }
            double sum = Math.exp(sink - max);
            for (double score : scores) {
                sum += Math.exp(score - max);
            }
            return max + Math.log(sum);
        }

        double[] output(double sink) {
            double[] output = new double[WIDTH];
            for (int j = 0; j < scores.length && lse(sink) > NEGATIVE_INFINITY; j++) {
                double weight = Math.exp(scores[j] - lse(sink));
                for (int d = 0; d < WIDTH; d++) {
                    output[d] += weight * values[j][d];
                }
            }
            return output;
        }
    }

    private static AttentionStates none() {
        return AttentionStates.empty(1, 1, 1, WIDTH, 0);
    }

    /** {@return the attention over one key: its value, and its score as the LSE} */
    private static AttentionResult key(double score, double... value) {
        return AttentionResult.into(Tensor.of(value, 1, 1, 1, WIDTH)).withLse(Tensor.of(new double[] {score}, 1, 1, 1));
    }

    private static Tensor logit(double sink) {
        return Tensor.of(new double[] {sink}, 1);
    }

    @Property
    void keysAddedOneByOneGiveTheDirectSoftmax(@ForAll long seed, @ForAll @IntRange(max = 30) int count) {
        var keys = new Keys(seed, count);
        assertStates(keys.lse(NEGATIVE_INFINITY), keys.output(NEGATIVE_INFINITY), keys.states(0, count));
    }

    @Property
    void sinkJoinsTheDenominatorAlone(@ForAll long seed, @ForAll @IntRange(max = 30) int count) {
        var keys = new Keys(seed, count);
        double sink = new Random(seed).nextGaussian();
        AttentionStates first = none().addSink(logit(sink)).merge(keys.states(0, count));
        AttentionStates last = keys.states(0, count).addSink(logit(sink));
        assertStates(keys.lse(sink), keys.output(sink), first);
        assertStates(keys.lse(sink), keys.output(sink), last);
    }

    @Property
    void mergeIsAssociativeUpToRounding(@ForAll long seed, @ForAll @IntRange(min = 3, max = 30) int count) {
        var keys = new Keys(seed, count);
        int a = count / 3;
        int b = 2 * count / 3;
        AttentionStates left = keys.states(0, a).merge(keys.states(a, b)).merge(keys.states(b, count));
        AttentionStates right = keys.states(0, a).merge(keys.states(a, b).merge(keys.states(b, count)));
        AttentionStates backwards =
                keys.states(b, count).merge(keys.states(a, b)).merge(keys.states(0, a));
        double lse = left.lse().get(0, 0, 0);
        double[] output = left.output(DType.F64).toDoubleArray();
        assertStates(lse, output, right);
        assertStates(lse, output, backwards);
        assertStates(lse, output, keys.states(0, count));
    }

    @Property
    void mergeOfTwoIsCommutativeBitForBit(@ForAll long seed, @ForAll @IntRange(max = 30) int count) {
        var keys = new Keys(seed, count);
        assertArrayEquals(
                keys.states(0, count / 2).merge(keys.states(count / 2, count)).toBytes(),
                keys.states(count / 2, count).merge(keys.states(0, count / 2)).toBytes());
    }

    @Property
    void emptyStateIsTheUnitBitForBit(@ForAll long seed, @ForAll @IntRange(max = 10) int count) {
        byte[] expected = new Keys(seed, count).states(0, count).toBytes();
        AttentionStates states = new Keys(seed, count).states(0, count);
        assertArrayEquals(expected, none().merge(states).toBytes());
        assertArrayEquals(expected, states.copy().merge(none()).toBytes());
        assertArrayEquals(
                expected, states.copy().add(key(NEGATIVE_INFINITY, 0, 0, 0)).toBytes());
    }

    @Property
    void finishedRowsMergeLikeTheirStates(@ForAll long seed, @ForAll @IntRange(min = 2, max = 30) int count) {
        var keys = new Keys(seed, count);
        AttentionStates first = keys.states(0, count / 2);
        AttentionStates second = keys.states(count / 2, count);
        AttentionStates finished = AttentionStates.of(first.result(DType.F64)).add(second.result(DType.F64));
        first.merge(second);
        assertStates(first.lse().get(0, 0, 0), first.output(DType.F64).toDoubleArray(), finished);
    }

    @Example
    void noKeysGiveZeroAndMinusInfinity() {
        AttentionStates states = none().add(key(NEGATIVE_INFINITY, Double.NaN, Double.NaN, Double.NaN))
                .addSink(logit(NEGATIVE_INFINITY));
        assertAll(NEGATIVE_INFINITY, states.lse());
        assertAll(0, states.output(DType.F32));
    }

    @Example
    void aSinkAloneIsItsOwnLse() {
        AttentionStates states = none().addSink(logit(-3.5));
        assertAll(-3.5, states.lse());
        assertAll(0, states.output(DType.F64));
    }

    @Example
    void hugeScoresStayFinite() {
        AttentionStates states =
                none().add(key(-1e300, 1, 1, 1)).add(key(1e300, 2, 3, 4)).add(key(-1e300, 5, 5, 5));
        assertAll(1e300, states.lse());
        assertArrayEquals(new double[] {2, 3, 4}, states.output(DType.F64).toDoubleArray());
    }

    /** With an LSE in f32 this test would fail: f32 numbers near 1e7 are integers. */
    @Property
    void maximaAndSumsOfScoresNearTenMillionKeepTheirDigits(@ForAll @IntRange(min = 1, max = 100) int step) {
        AttentionStates states = none();
        double[] sums = {1.25, 3};
        double[] maxima = {1e7, 1e7 + step / 16.0};
        for (int n = 0; n < 2; n++) {
            Tensor output = Tensor.of(new float[] {n, 1, 2 - n}, 1, 1, 1, WIDTH);
            states.add(AttentionResult.into(output)
                    .withLse(Tensor.of(new float[] {(float) (maxima[n] + Math.log(sums[n]))}, 1, 1, 1))
                    .withRowStatistics(
                            Tensor.of(new double[] {maxima[n]}, 1, 1, 1),
                            Tensor.of(new float[] {(float) sums[n]}, 1, 1, 1)));
        }
        double first = sums[0] * Math.exp(maxima[0] - maxima[1]);
        double weight = sums[1] / (first + sums[1]);
        assertEquals(maxima[1] + Math.log(first + sums[1]), states.lse().get(0, 0, 0), 2e-7);
        assertArrayEquals(
                new double[] {weight, 1, 2 - weight}, states.output(DType.F64).toDoubleArray(), 1e-6);
    }

    @Example
    void manyKeysFitThePairOf16BitResults() {
        Tensor value = Tensor.of(new float[] {1, 2, 3}, 1, 1, 1, WIDTH);
        AttentionStates states = none();
        for (int n = 0; n < 3; n++) {
            states.add(AttentionResult.into(value).withLse(Tensor.of(new double[] {Math.log(50_000)}, 1, 1, 1)));
        }
        AttentionResult merged = states.result(DType.F16);
        AttentionStates again = none().add(merged);
        assertEquals(Math.log(150_000), again.lse().get(0, 0, 0), 1e-6);
    }

    @Example
    void mergeLeavesTheOtherStatesAlone() {
        var keys = new Keys(5, 10);
        AttentionStates other = keys.states(0, 5);
        keys.states(5, 10).merge(other);
        assertArrayEquals(keys.states(0, 5).toBytes(), other.toBytes());
    }

    @Example
    void nanAndInfinityFollowIeee() {
        AttentionStates nan = none().add(key(Double.NaN, 0, 0, 0)).add(key(1, 0, 0, 0));
        assertAll(Double.NaN, nan.lse());
        assertAll(Double.NaN, nan.output(DType.F64));
        AttentionStates infinite = none().add(key(1, 1, 1, 1)).add(key(2, Double.POSITIVE_INFINITY, 1, Double.NaN));
        double[] output = infinite.output(DType.F64).toDoubleArray();
        assertArrayEquals(new double[] {Double.POSITIVE_INFINITY, 1, Double.NaN}, output, 1e-15);
    }

    @Example
    void aSinkIsAddedOnce() {
        AttentionStates withSink = none().addSink(logit(1));
        assertRefused(null, () -> withSink.addSink(logit(1)));
        assertRefused(null, () -> withSink.merge(none().addSink(logit(2))));
        AttentionStates read = AttentionStates.of(ByteBuffer.wrap(withSink.toBytes()));
        assertRefused(null, () -> read.addSink(logit(1)));
        assertAll(1, withSink.lse());
    }

    // ---------------------------------------------------------------- bytes

    private static AttentionStates random(long seed, int topK) {
        var random = new RandomTensors(seed);
        AttentionStates states = AttentionStates.empty(2, 3, 2, 5, topK);
        for (int from = 0; from < 30; from += 10) {
            AttentionResult result = AttentionResult.into(random.normal(DType.F64, 2, 3, 2, 5))
                    .withLse(random.normal(DType.F64, 2, 3, 2));
            if (topK == 0) {
                states.add(result);
                continue;
            }
            Tensor keys = Tensor.zeros(DType.I64, 2, 3, 2, topK);
            Tensor weights = Tensor.zeros(DType.F64, 2, 3, 2, topK);
            for (long k = 0; k < topK; k++) {
                keys.select(3, k).fill(k % 2 == 0 ? k : topK + k);
                weights.select(3, k).fill(0.5 / (1 + k));
            }
            long first = (1L << 60) + from;
            states.add(result.withTopK(weights, keys), j -> first + j);
        }
        return states;
    }

    @Property(tries = 50)
    void bytesKeepEveryBit(@ForAll long seed, @ForAll @IntRange(max = 4) int topK, @ForAll boolean sink) {
        AttentionStates states = random(seed, topK);
        if (sink) {
            states.addSink(new RandomTensors(seed).normal(DType.F32, 3));
        }
        byte[] bytes = states.toBytes();
        assertEquals(48 + 8 * 12 * (2 + 5 + 2 * topK), bytes.length);
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length + 7).order(ByteOrder.BIG_ENDIAN);
        buffer.position(3).limit(3 + bytes.length);
        buffer.duplicate().put(bytes);
        AttentionStates read = AttentionStates.of(buffer);
        assertEquals(3, buffer.position());
        assertArrayEquals(bytes, read.toBytes());
        assertSameBits(states.result(DType.F32), read.result(DType.F32));
        assertEquals(states.toString(), read.toString());
    }

    @Example
    void nanAndInfinitySurviveAsBytes() {
        AttentionStates states = none().add(key(Double.NaN, Double.POSITIVE_INFINITY, -0.0, Double.NaN));
        assertArrayEquals(
                states.toBytes(),
                AttentionStates.of(ByteBuffer.wrap(states.toBytes())).toBytes());
        AttentionStates empty = AttentionStates.of(ByteBuffer.wrap(none().toBytes()));
        assertAll(NEGATIVE_INFINITY, empty.lse());
    }

    @Example
    void truncatedBytesAreRefusedAtEveryLength() {
        byte[] bytes = random(1, 2).toBytes();
        for (int length = 0; length < bytes.length; length++) {
            byte[] some = Arrays.copyOf(bytes, length);
            assertRefused(null, () -> AttentionStates.of(ByteBuffer.wrap(some)));
        }
        byte[] more = Arrays.copyOf(bytes, bytes.length + 8);
        assertRefused(null, () -> AttentionStates.of(ByteBuffer.wrap(more)));
    }

    @Example
    void foreignBytesAreRefused() {
        for (int at = 0; at < 8; at++) { // letters, version, sink, zeros
            byte[] bytes = random(1, 2).toBytes();
            bytes[at] += 2;
            assertRefused(null, () -> AttentionStates.of(ByteBuffer.wrap(bytes)));
        }
        byte[] version = random(1, 2).toBytes();
        version[4] = 2;
        assertTrue(assertRefused(null, () -> AttentionStates.of(ByteBuffer.wrap(version)))
                .getMessage()
                .contains("version 2"));
    }

    /** Sizes are compared with the number of bytes before anything is allocated. */
    @Example
    void sizesThatTheBytesDoNotHaveAreRefused() {
        for (int axis = 0; axis < 5; axis++) {
            for (long size : new long[] {-1, Long.MIN_VALUE, 1L << 60, 1L << 31, 1L << 32, Long.MAX_VALUE, 200, 0, 1}) {
                byte[] bytes = random(1, 2).toBytes();
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(8 + 8 * axis, size);
                assertRefused(null, () -> AttentionStates.of(ByteBuffer.wrap(bytes)));
            }
        }
        byte[] all = random(1, 2).toBytes();
        for (int axis = 0; axis < 5; axis++) { // the product of these sizes is 0 in 64 bits
            ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putLong(8 + 8 * axis, 1L << 60);
        }
        assertRefused(null, () -> AttentionStates.of(ByteBuffer.wrap(all)));
    }

    @Example
    void sizesThatNoArrayHoldsAreRefused() {
        assertRefused(null, () -> AttentionStates.empty(1L << 20, 1L << 20, 1L << 30, 1, 0));
        assertRefused(null, () -> AttentionStates.empty(1, 1, 1L << 20, 1L << 12, 0));
        assertRefused(null, () -> AttentionStates.empty(1, 1, 1L << 20, 1, 1 << 12));
        assertRefused(null, () -> AttentionStates.empty(1, 0, 1, 1, 0));
        assertRefused(null, () -> AttentionStates.empty(1, 1, 1, 1, -1));
    }

    private static void assertStates(double lse, double[] output, AttentionStates states) {
        if (lse == NEGATIVE_INFINITY) {
            assertAll(lse, states.lse());
        } else {
            assertEquals(lse, states.lse().get(0, 0, 0), TOLERANCE * Math.max(1, Math.abs(lse)));
        }
        assertArrayEquals(output, states.output(DType.F64).toDoubleArray(), 1e-11);
    }
}
