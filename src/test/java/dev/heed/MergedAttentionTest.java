package dev.heed;

import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertRefused;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.ScalarBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import dev.heed.verify.ErrorBudget;
import dev.heed.verify.Measure;
import dev.heed.verify.NaiveBackend;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that attention over slices of the keys, merged, is as good as one call over all keys. */
class MergedAttentionTest {
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT;

    private static AttentionBackend cpu() {
        var vector = new VectorBackend(1);
        return vector.notReadyReasons().isEmpty() ? vector : new ScalarBackend(1);
    }

    private static AttentionResult forward(AttentionBackend backend, Qkv qkv, AttentionOptions options) {
        AttentionInputs inputs = qkv.with(options);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result;
    }

    private static Qkv f64(Qkv qkv) {
        return new Qkv(
                qkv.query().to(DType.F64), qkv.key().to(DType.F64), qkv.value().to(DType.F64));
    }

    private static Qkv keys(Qkv qkv, long from, long to) {
        return qkv.meeting(qkv.key().slice(2, from, to), qkv.value().slice(2, from, to));
    }

    private static List<AttentionResult> slices(
            AttentionBackend backend, Qkv qkv, int count, AttentionOptions options) {
        List<AttentionResult> results = new ArrayList<>();
        long n = qkv.key().size(2);
        for (int c = 0; c < count; c++) {
            results.add(forward(backend, keys(qkv, n * c / count, n * (c + 1) / count), options));
        }
        return results;
    }

    /** A chain of merges fails this test for bf16: it rounds to the type of the results 63 times. */
    @ParameterizedTest
    @ValueSource(strings = {"bf16", "f16", "f32", "f64"})
    void sixtyFourSlicesAreWithinTheErrorBudgetOfOneCall(String type) {
        Qkv qkv = Qkv.of("q1x4x40x32 kv2x2048 " + type);
        try (AttentionBackend backend = cpu();
                var reference = new ReferenceBackend();
                var naive = new NaiveBackend()) {
            AttentionResult truth = forward(reference, f64(qkv), PLAIN.withLse());
            AttentionResult textbook = forward(naive, qkv, PLAIN.withLse());
            for (AttentionOptions options : List.of(PLAIN.withLse(), PLAIN.withPartial())) {
                AttentionResult merged = Attention.merge(slices(backend, qkv, 64, options), qkv.type());
                assertWithin(qkv.type(), truth.output(), textbook.output(), merged.output());
                assertWithin(
                        qkv.type().accumulator(),
                        Objects.requireNonNull(truth.lse()),
                        Objects.requireNonNull(textbook.lse()),
                        Objects.requireNonNull(merged.lse()));
            }
            assertEquals(
                    qkv.type(),
                    Attention.merge(slices(backend, qkv, 2, PLAIN.withLse()))
                            .output()
                            .type());
        }
    }

    /** A chain of merges of partial results does not round to bf16 either, so it has the error of f32. */
    @Test
    void aChainOfPartialResultsKeepsTheAccumulatorType() {
        Qkv qkv = Qkv.of("q1x2x9x16 kv1x512 bf16");
        try (AttentionBackend backend = cpu();
                var reference = new ReferenceBackend()) {
            AttentionResult truth = forward(reference, f64(qkv), PLAIN.withLse());
            AttentionResult chain = slices(reference, qkv, 32, PLAIN.withPartial()).stream()
                    .reduce(Attention::merge)
                    .orElseThrow();
            assertEquals(DType.F32, chain.output().type());
            assertClose(truth.output(), chain.output(), 1e-6);
            AttentionResult exact = Attention.merge(slices(backend, qkv, 32, PLAIN.withPartial(DType.F64)));
            assertEquals(DType.F64, exact.output().type());
            assertClose(truth.output(), exact.output(), 1e-14);
            assertClose(Objects.requireNonNull(truth.lse()), Objects.requireNonNull(exact.lse()), 1e-14);
        }
    }

    @Test
    void f32OutputsOfF64PartialResultsDoNotDependOnTheDivisionOfTheKeys() {
        Qkv qkv = Qkv.of("q1x4x16x32 kv2x640 f32");
        try (AttentionBackend backend = cpu()) {
            AttentionResult one = Attention.merge(slices(backend, qkv, 1, PLAIN.withPartial(DType.F64)), DType.F32);
            for (int count = 2; count <= 8; count++) {
                List<AttentionResult> slices = slices(backend, qkv, count, PLAIN.withPartial(DType.F64));
                assertSameBits(one, Attention.merge(slices, DType.F32));
                List<AttentionStates> own =
                        slices.stream().map(AttentionStates::of).toList();
                AttentionStates tree = own.getFirst();
                for (int n = 2; n < count; n += 2) { // pairs first, then the pairs in order
                    tree.merge(n + 1 < count ? own.get(n).merge(own.get(n + 1)) : own.get(n));
                }
                tree.merge(own.get(1));
                assertSameBits(one, tree.result(DType.F32));
            }
        }
    }

    @Test
    void partialResultsHaveNoSinkAndNoDropout() {
        Qkv qkv = Qkv.of("q1x2x3x4 kv1x5 bf16");
        Tensor sink = Tensor.zeros(DType.F32, 2);
        assertRefused("partial", () -> qkv.with(PLAIN.withPartial().withSink(sink)));
        assertRefused("partial", () -> qkv.with(PLAIN.withPartial().withDropout(0.5, 1)));
        assertRefused(null, () -> PLAIN.withPartial(DType.BF16));
        assertRefused(null, () -> PLAIN.withPartial(DType.I64));
        assertRefused(null, () -> Problem.parse("mha in=8x8x8 out=8 q1x2x3x4 kv2x5 f32 lse partial"));
        assertTrue(PLAIN.withPartial().lse());
    }

    private static void assertWithin(DType type, Tensor truth, Tensor textbook, Tensor ours) {
        Measure measure = ErrorBudget.forward(type)
                .measure(
                        "merged",
                        ours.toDoubleArray(),
                        truth.toDoubleArray(),
                        textbook.toDoubleArray(),
                        Double.POSITIVE_INFINITY);
        assertTrue(measure.passed(), measure::toString);
    }

    @Test
    void aSinkAddedOnceIsASinkOfOneCall() {
        Qkv qkv = Qkv.of("q2x4x5x16 kv2x60 f64");
        Tensor sink = new RandomTensors(8).normal(DType.F64, 4);
        try (var reference = new ReferenceBackend()) {
            AttentionResult whole = forward(reference, qkv, PLAIN.withSink(sink).withLse());
            AttentionStates states = AttentionStates.empty(2, 4, 5, 16, 0);
            slices(reference, qkv, 7, PLAIN.withLse()).forEach(states::add);
            AttentionResult merged = states.addSink(sink).result(DType.F64);
            assertClose(whole.output(), merged.output(), 1e-14);
            assertClose(whole.lse(), merged.lse(), 1e-14);
        }
    }

    /** Keys get the ids of one call plus 2^60, which a double cannot represent. */
    @Test
    void largestWeightsOfSlicesAreThoseOfOneCall() {
        Qkv qkv = Qkv.of("q2x4x5x16 kv2x61 f64");
        int k = 6;
        try (var reference = new ReferenceBackend()) {
            AttentionOptions options = PLAIN.withLse().withTopK(k);
            AttentionResult whole = forward(reference, qkv, options);
            AttentionStates states = AttentionStates.empty(2, 4, 5, 16, k);
            AttentionStates backwards = states.copy();
            long[] cuts = {0, 3, 4, 30, 61}; // slices of fewer and of more than k keys
            for (int c = 0; c + 1 < cuts.length; c++) {
                long from = (1L << 60) + cuts[c];
                int kept = (int) Math.min(k, cuts[c + 1] - cuts[c]);
                AttentionResult slice = forward(
                        reference,
                        keys(qkv, cuts[c], cuts[c + 1]),
                        PLAIN.withLse().withTopK(kept));
                AttentionStates own = AttentionStates.empty(2, 4, 5, 16, k).add(slice, j -> from + j);
                states.merge(own);
                backwards = own.merge(backwards);
            }
            for (AttentionStates merged : List.of(states, backwards)) {
                AttentionResult result = merged.result(DType.F64);
                assertClose(whole.topKWeights(), result.topKWeights(), 1e-14);
                Tensor ids = Objects.requireNonNull(result.topKIndices());
                Tensor indices = Objects.requireNonNull(whole.topKIndices());
                for (long row = 0; row < 2 * 4 * 5 * k; row++) {
                    long id = ids.segment().getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, row);
                    assertEquals((1L << 60) + (long) indices.at(row), id);
                }
            }
        }
    }

    @Test
    void amongEqualWeightsTheLowerIdComesFirst() {
        Qkv qkv = Qkv.of("q1x1x2x4 kv1x6 f64");
        qkv.key().fill(1);
        try (var reference = new ReferenceBackend()) {
            AttentionResult slice =
                    forward(reference, keys(qkv, 0, 3), PLAIN.withLse().withTopK(3));
            AttentionStates states = AttentionStates.empty(1, 1, 2, 4, 8);
            states.add(slice, j -> 10 + j).add(slice, j -> 2 - j);
            AttentionResult result = states.result(DType.F32);
            for (long i = 0; i < 2; i++) {
                Tensor ids = Objects.requireNonNull(result.topKIndices())
                        .select(0, 0)
                        .select(0, 0)
                        .select(0, i);
                Tensor weights = Objects.requireNonNull(result.topKWeights())
                        .select(0, 0)
                        .select(0, 0)
                        .select(0, i);
                assertSameBits(Tensor.of(new long[] {0, 1, 2, 10, 11, 12, -1, -1}, 8), ids.copy());
                double sixth = (float) (1 / 6.0);
                assertClose(
                        Tensor.of(new double[] {sixth, sixth, sixth, sixth, sixth, sixth, 0, 0}, 8),
                        weights.copy(),
                        1e-7);
            }
        }
    }

    @Test
    void idsMayNotBeNegativeAndListsNeedIds() {
        Qkv qkv = Qkv.of("q1x1x2x4 kv1x6 f64");
        AttentionResult plain = Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), PLAIN.withLse());
        AttentionResult lists = Attention.scaledDotProduct(
                qkv.query(), qkv.key(), qkv.value(), PLAIN.withLse().withTopK(2));
        AttentionResult noLse = lists.withLse(null).withRowStatistics(null, null);
        assertRefused(null, () -> AttentionStates.of(lists, j -> -1 - j));
        assertRefused(null, () -> AttentionStates.of(plain, j -> j));
        assertRefused(null, () -> AttentionStates.of(noLse, j -> j));
        assertRefused(null, () -> AttentionStates.of(lists, j -> j).add(lists));
        assertRefused(null, () -> AttentionStates.of(lists, j -> j).add(plain, j -> j));
        assertRefused(null, () -> AttentionStates.of(lists).merge(AttentionStates.of(lists, j -> j)));
        assertRefused(null, () -> Attention.merge(List.of()));
        assertRefused(null, () -> AttentionStates.of(plain).write(plain.withWeights(plain.output())));
        assertRefused(null, () -> AttentionStates.of(plain).write(lists));
        assertRefused(null, () -> AttentionStates.of(plain).addSink(Tensor.zeros(DType.F64, 2)));
    }

    /** NaN and infinity in keys and values reach the rows and elements that they reach in one call. */
    @Test
    void nonFiniteInputsGiveWhatOneCallGives() {
        for (double odd : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            for (boolean inKey : new boolean[] {true, false}) {
                Qkv qkv = Qkv.of("q1x2x9x4 kv1x24 f64").copy();
                (inKey ? qkv.key() : qkv.value()).set(odd, 0, 0, 13, 1);
                try (var reference = new ReferenceBackend()) {
                    AttentionResult whole = forward(reference, qkv, PLAIN.withLse());
                    AttentionResult merged = Attention.merge(slices(reference, qkv, 5, PLAIN.withLse()));
                    String name = odd + (inKey ? " key" : " value");
                    assertAgree(name, whole.output(), merged.output());
                    assertAgree(name, whole.lse(), merged.lse());
                }
            }
        }
    }

    private static void assertAgree(String name, Tensor expected, Tensor actual) {
        double[] right = expected.toDoubleArray();
        double[] ours = actual.toDoubleArray();
        for (int n = 0; n < right.length; n++) {
            assertEquals(right[n], ours[n], 1e-13, name + ", element " + n);
        }
    }

    @Test
    void anyStridesAreReadAndWritten() {
        Qkv qkv = Qkv.of("q2x3x5x4 kv3x9 f32");
        List<AttentionResult> dense = new ArrayList<>();
        List<AttentionResult> strided = new ArrayList<>();
        for (int c = 0; c < 3; c++) {
            Qkv slice = keys(qkv, 3 * c, 3 * c + 3);
            AttentionResult r = Attention.scaledDotProduct(slice.query(), slice.key(), slice.value(), PLAIN.withLse());
            dense.add(r);
            Tensor output = Tensor.zeros(DType.F32, 4, 5, 3, 2).transpose(0, 3).transpose(1, 2);
            output.copyFrom(r.output());
            Tensor lse = Tensor.zeros(DType.F32, 5, 3, 2).transpose(0, 2);
            lse.copyFrom(Objects.requireNonNull(r.lse()));
            Tensor maxima = Tensor.zeros(DType.F32, 3, 5, 2).transpose(0, 1).transpose(0, 2);
            maxima.copyFrom(Objects.requireNonNull(r.rowMax()));
            Tensor sums = Tensor.zeros(DType.F32, 2, 5, 3).transpose(1, 2);
            sums.copyFrom(Objects.requireNonNull(r.rowSum()));
            strided.add(AttentionResult.into(output).withLse(lse).withRowStatistics(maxima, sums));
        }
        AttentionResult expected = Attention.merge(dense);
        assertSameBits(expected, Attention.merge(strided));
        AttentionStates states = AttentionStates.of(strided.get(0));
        states.add(strided.get(1)).add(strided.get(2)).write(strided.get(0));
        assertSameBits(expected.output(), strided.get(0).output().copy());
        assertSameBits(
                expected.lse(), Objects.requireNonNull(strided.get(0).lse()).copy());
    }

    /** 4096 rows: one object of 16 bytes a row would be 64 KB. */
    @Test
    void aMergeAllocatesNoObjectForARow() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        AttentionResult result = AttentionResult.into(Tensor.zeros(DType.F32, 1, 4, 1024, 8))
                .withLse(Tensor.zeros(DType.F32, 1, 4, 1024));
        AttentionStates states = AttentionStates.of(result);
        AttentionStates other = AttentionStates.of(result);
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 50; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            states.add(result).merge(other).write(result);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 4096, least + " bytes");
    }

    @Test
    void resultsOfDifferentTypesMergeIntoTheTypeThatIsNamed() {
        Qkv qkv = Qkv.of("q1x2x3x4 kv2x9 f64");
        Qkv first = keys(qkv, 0, 4);
        Qkv second = keys(qkv, 4, 9);
        AttentionResult a = Attention.scaledDotProduct(first.query(), first.key(), first.value(), PLAIN.withLse());
        AttentionResult b = Attention.scaledDotProduct(second.query(), second.key(), second.value(), PLAIN.withLse());
        AttentionResult narrow = AttentionResult.into(b.output().to(DType.F32))
                .withLse(Objects.requireNonNull(b.lse()).to(DType.F32));
        AttentionResult whole = Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), PLAIN.withLse());
        AttentionResult merged = Attention.merge(List.of(a, narrow), DType.BF16);
        assertEquals(DType.BF16, merged.output().type());
        assertEquals(DType.F32, Objects.requireNonNull(merged.lse()).type());
        assertClose(whole.output(), merged.output(), 0.02);
    }
}
