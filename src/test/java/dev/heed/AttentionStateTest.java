package dev.heed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Tests that merging states is associative and commutative up to rounding, and that adding keys one by one gives the softmax
 * over all of them.
 */
class AttentionStateTest {
    private static final int WIDTH = 3;
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
                scores[j] = random.nextInt(5) == 0 ? Double.NEGATIVE_INFINITY : 10 * random.nextGaussian();
                scores[j] += random.nextInt(8) == 0 ? 700 : 0;
                Arrays.setAll(values[j], d -> random.nextGaussian());
            }
        }

        AttentionState state(int from, int to) {
            var state = new AttentionState(WIDTH);
            for (int j = from; j < to; j++) {
                state.add(scores[j], values[j]);
            }
            return state;
        }

        double lse(double sink) {
            double max = Math.max(sink, Arrays.stream(scores).max().orElse(Double.NEGATIVE_INFINITY));
            if (max == Double.NEGATIVE_INFINITY) {
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
            for (int j = 0; j < scores.length && lse(sink) > Double.NEGATIVE_INFINITY; j++) {
                double weight = Math.exp(scores[j] - lse(sink));
                for (int d = 0; d < WIDTH; d++) {
                    output[d] += weight * values[j][d];
                }
            }
            return output;
        }
    }

    @Property
    void readingOneByOneIsTheDirectSoftmax(@ForAll long seed, @ForAll @IntRange(max = 30) int count) {
        var keys = new Keys(seed, count);
        assertState(keys.lse(Double.NEGATIVE_INFINITY), keys.output(Double.NEGATIVE_INFINITY), keys.state(0, count));
    }

    @Property
    void sinkJoinsTheDenominatorAlone(@ForAll long seed, @ForAll @IntRange(max = 30) int count) {
        var keys = new Keys(seed, count);
        double sink = new Random(seed).nextGaussian();
        AttentionState first = new AttentionState(WIDTH);
        first.addSink(sink);
        first.merge(keys.state(0, count));
        AttentionState last = keys.state(0, count);
        last.addSink(sink);
        assertState(keys.lse(sink), keys.output(sink), first);
        assertState(keys.lse(sink), keys.output(sink), last);
    }

    @Property
    void mergeIsAssociativeAndCommutative(@ForAll long seed, @ForAll @IntRange(min = 3, max = 30) int count) {
        var keys = new Keys(seed, count);
        int a = count / 3;
        int b = 2 * count / 3;
        AttentionState left = keys.state(0, a);
        left.merge(keys.state(a, b));
        left.merge(keys.state(b, count));
        AttentionState tail = keys.state(a, b);
        tail.merge(keys.state(b, count));
        AttentionState right = keys.state(0, a);
        right.merge(tail);
        AttentionState turned = keys.state(b, count);
        turned.merge(keys.state(a, b));
        turned.merge(keys.state(0, a));
        assertState(left.lse(), left.output(), right);
        assertState(left.lse(), left.output(), turned);
        assertState(left.lse(), left.output(), keys.state(0, count));
    }

    @Property
    void emptyStateIsTheUnit(@ForAll long seed, @ForAll @IntRange(max = 10) int count) {
        var keys = new Keys(seed, count);
        AttentionState expected = keys.state(0, count);
        AttentionState before = new AttentionState(WIDTH);
        before.merge(keys.state(0, count));
        AttentionState after = keys.state(0, count);
        after.merge(new AttentionState(WIDTH));
        for (AttentionState state : new AttentionState[] {before, after}) {
            assertEquals(expected.lse(), state.lse());
            assertArrayEquals(expected.output(), state.output());
        }
    }

    @Property
    void finishedRowsMergeLikeTheirStates(@ForAll long seed, @ForAll @IntRange(min = 2, max = 30) int count) {
        var keys = new Keys(seed, count);
        AttentionState first = keys.state(0, count / 2);
        AttentionState second = keys.state(count / 2, count);
        AttentionState merged = AttentionState.of(first.output(), first.lse());
        merged.merge(AttentionState.of(second.output(), second.lse()));
        first.merge(second);
        assertState(first.lse(), first.output(), merged);
    }

    @Example
    void nothingReadIsZeroAndMinusInfinity() {
        var state = new AttentionState(WIDTH);
        state.add(Double.NEGATIVE_INFINITY, new double[] {Double.NaN, Double.NaN, Double.NaN});
        state.addSink(Double.NEGATIVE_INFINITY);
        state.merge(AttentionState.of(new double[WIDTH], Double.NEGATIVE_INFINITY));
        assertEquals(Double.NEGATIVE_INFINITY, state.lse());
        assertArrayEquals(new double[WIDTH], state.output());
    }

    @Example
    void aSinkAloneIsItsOwnLse() {
        var state = new AttentionState(WIDTH);
        state.addSink(-3.5);
        assertEquals(-3.5, state.lse());
        assertArrayEquals(new double[WIDTH], state.output());
    }

    @Example
    void hugeScoresStayFinite() {
        var state = new AttentionState(WIDTH);
        state.add(-1e300, new double[] {1, 1, 1});
        state.add(1e300, new double[] {2, 3, 4});
        state.add(-1e300, new double[] {5, 5, 5});
        assertEquals(1e300, state.lse());
        assertArrayEquals(new double[] {2, 3, 4}, state.output());
    }

    @Example
    void mergeLeavesTheOtherStateAlone() {
        var keys = new Keys(5, 10);
        AttentionState other = keys.state(0, 5);
        double lse = other.lse();
        keys.state(5, 10).merge(other);
        assertEquals(lse, other.lse());
        assertArrayEquals(keys.state(0, 5).output(), other.output());
    }

    @Example
    void nanAndInfinityFollowIeee() {
        var nan = new AttentionState(WIDTH);
        nan.add(Double.NaN, new double[WIDTH]);
        nan.add(1, new double[WIDTH]);
        assertTrue(Double.isNaN(nan.lse()) && Double.isNaN(nan.output()[0]));
        var infinite = new AttentionState(WIDTH);
        infinite.add(1, new double[] {1, 1, 1});
        infinite.add(Double.POSITIVE_INFINITY, new double[] {1, 1, 1});
        assertTrue(Double.isNaN(infinite.output()[0]));
    }

    private static void assertState(double lse, double[] output, AttentionState state) {
        if (lse == Double.NEGATIVE_INFINITY) {
            assertEquals(lse, state.lse());
        } else {
            assertEquals(lse, state.lse(), TOLERANCE * Math.max(1, Math.abs(lse)));
        }
        assertArrayEquals(output, state.output(), 1e-11);
    }
}
