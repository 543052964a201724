package dev.heed.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests the arithmetic of the budget: {@code err <= factor * err(naive) + 2 * probe}. */
class ErrorBudgetTest {
    private static final double NONE = Double.POSITIVE_INFINITY;

    /** A truth for which the probe is 0, because 0 + 0.3 - 0.3 is 0 in every type. */
    private static final double[] ZEROS = {0, 0, 0};

    private static Measure forward(double[] ours, double[] truth, double[] naive) {
        return ErrorBudget.forward(DType.F32).measure("output", ours, truth, naive, NONE);
    }

    private static double[] off(double error) {
        return new double[] {0, error, 0};
    }

    @Test
    void twiceTheNaiveErrorPassesAndThreeTimesFails() {
        assertTrue(forward(off(2e-3), ZEROS, off(1e-3)).passed());
        assertFalse(forward(off(2.01e-3), ZEROS, off(1e-3)).passed());
        assertFalse(forward(off(3e-3), ZEROS, off(1e-3)).passed());
        assertTrue(forward(off(-2e-3), ZEROS, new double[] {1e-3, 0, 0}).passed());
    }

    @Test
    void gradientsMayErrThreeTimes() {
        var budget = ErrorBudget.gradient(DType.F32);
        assertTrue(budget.measure("g", off(3e-3), ZEROS, off(1e-3), NONE).passed());
        assertFalse(budget.measure("g", off(3.01e-3), ZEROS, off(1e-3), NONE).passed());
    }

    /** The probe estimates the ulp from rounding errors. The estimate may be too small for one element, but not for many. */
    @Test
    void exactNaiveResultsLeaveAboutTwoUlps() {
        double[] truth = new Random(1).doubles(1000, 1, 2).toArray();
        double[] near = Arrays.stream(truth).map(x -> (float) x).toArray();
        double[] far = truth.clone();
        far[500] += 5 * Math.ulp(1f);
        assertTrue(forward(near, truth, truth).passed());
        assertFalse(forward(far, truth, truth).passed());
    }

    /** Truths for which the probe is 0 or less than an ulp leave one ulp of the largest. */
    @Test
    void oneUlpPassesAndThreeFailWhereTheProbeIsSmall() {
        double[][] truths = {{0, 1, 0}, {1}, {0.5}, {0}};
        DType[] types = {DType.F32, DType.F64, DType.F16, DType.BF16};
        double[] ulps = {0x1p-23, 0x1p-52, 0x1p-10, 0x1p-7};
        for (int t = 0; t < types.length; t++) {
            var budget = ErrorBudget.gradient(types[t]);
            for (double[] truth : truths) {
                double largest = Arrays.stream(truth).max().orElseThrow();
                double least = types[t] == DType.F64 ? Double.MIN_NORMAL : Float.MIN_NORMAL;
                double ulp = largest == 0 ? least : largest * ulps[t];
                double[] off = truth.clone();
                off[0] += ulp;
                Measure one = budget.measure("g", off, truth, truth, NONE);
                assertTrue(one.passed(), one::toString);
                off[0] = truth[0] - 3 * ulp;
                Measure three = budget.measure("g", off, truth, truth, NONE);
                assertFalse(three.passed(), three::toString);
            }
        }
    }

    @Test
    void coarserTypesLeaveMore() {
        double[] truth = {1.1};
        double[] ours = {1.1 + 0x1p-9};
        assertTrue(ErrorBudget.forward(DType.BF16)
                .measure("o", ours, truth, truth, NONE)
                .passed());
        assertFalse(ErrorBudget.forward(DType.F32)
                .measure("o", ours, truth, truth, NONE)
                .passed());
        assertTrue(ErrorBudget.forward(DType.F16)
                .measure("o", new double[] {DType.F16.round(1.1)}, truth, truth, NONE)
                .passed());
    }

    @Test
    void doublesAreHeldToDoublePrecision() {
        var budget = ErrorBudget.forward(DType.F64);
        double[] naive = off(1e-7);
        assertTrue(
                budget.measure("o", off(4 * 1e-7 * 0x1p-29), ZEROS, naive, NONE).passed());
        assertFalse(budget.measure("o", off(4.1 * 1e-7 * 0x1p-29), ZEROS, naive, NONE)
                .passed());
        assertFalse(budget.measure("o", off(1e-8), ZEROS, naive, NONE).passed());
    }

    @Test
    void theCapHoldsWhateverTheNaiveError() {
        var budget = ErrorBudget.forward(DType.F32);
        assertFalse(budget.measure("o", off(1e-3), ZEROS, off(1), 1e-4).passed());
        assertTrue(budget.measure("o", off(1e-5), ZEROS, off(1), 1e-4).passed());
        assertEquals(1e-4, budget.measure("o", ZEROS, ZEROS, off(1), 1e-4).allowed());
    }

    @Test
    void nanAndInfinityStandInTheirPlaces() {
        double nan = Double.NaN;
        double inf = Double.POSITIVE_INFINITY;
        double[] truth = {nan, inf, -inf, 1};
        assertTrue(forward(truth.clone(), truth, truth).passed());
        for (double[] wrong : new double[][] {
            {1, inf, -inf, 1}, {nan, -inf, -inf, 1}, {nan, inf, -inf, nan}, {nan, inf, -inf, inf}, {nan, 1e38, -inf, 1}
        }) {
            Measure measure = forward(wrong, truth, truth);
            assertFalse(measure.passed(), measure::toString);
            assertEquals(inf, measure.maxError());
        }
    }

    /** A NaN or an infinity in the naive result must not raise the limit. */
    @Test
    void naiveNanIsNoExcuse() {
        assertFalse(forward(off(1), ZEROS, new double[] {Double.NaN, 0, 0}).passed());
        assertFalse(forward(off(1), ZEROS, off(Double.NEGATIVE_INFINITY)).passed());
        assertFalse(forward(off(Double.NaN), ZEROS, off(Double.NaN)).passed());
    }

    @Test
    void signedZerosAreEqual() {
        assertTrue(forward(new double[] {-0.0, 0, -0.0}, ZEROS, ZEROS).passed());
    }

    @Test
    void theReportNamesTheWorstElement() {
        Measure measure = forward(new double[] {1, 2.5, 3}, new double[] {1, 2, 3.1}, new double[] {1, 2.25, 3});
        assertEquals(1, measure.worstIndex());
        assertEquals(0.5, measure.maxError());
        assertEquals(0.2, measure.meanError(), 1e-12);
        assertEquals(0.25, measure.naiveError());
        assertEquals(2, measure.ratioToNaive());
        assertEquals(2, measure.expected());
        assertEquals(2.5, measure.got());
        assertTrue(measure.toString().contains("output: max error 0.500"), measure::toString);
        assertTrue(measure.toString().contains("worst at 1: expected 2.0 got 2.5"), measure::toString);
    }

    @Test
    void theWorstOfAVerdictIsNearestToItsLimit() {
        Measure near = new Measure("near", 1, 0, 0, 1.1, 0, 0, 0);
        Measure far = new Measure("far", 5, 0, 0, 100, 0, 0, 0);
        Measure exact = new Measure("exact", 0, 0, 0, 0, 0, 0, 0);
        var verdict =
                new Verdict(Case.parse("softmax 3 f32"), Verdict.Status.PASS, List.of(far, near, exact), "", 0, 0);
        assertEquals(near, verdict.worst());
        assertEquals("PASS softmax 3 axis=0 f32", verdict.toString());
    }

    @Test
    void oneWrongElementAmongManyFails() {
        double[] ours = new double[100_000];
        ours[77_777] = 1e-3;
        double[] zeros = new double[100_000];
        Measure measure = forward(ours, zeros, zeros);
        assertFalse(measure.passed());
        assertEquals(77_777, measure.worstIndex());
    }
}
