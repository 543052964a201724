package dev.heed.bench;

import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import dev.heed.verify.ErrorBudget;
import dev.heed.verify.Measure;
import dev.heed.verify.NaiveBackend;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A check of an answer against the double-precision reference, before timing. It compares samples that can be computed
 * on their own. They are bands of queries (all queries if there are at most 48), the last key/value head of a backward
 * pass, the last batch entry of multi-head attention, or three rows of a softmax. The error of Heed must be within its
 * {@link ErrorBudget}, the error of a peer within {@value #PEER_TOLERANCE} (bf16: 2^-7) times the largest absolute
 * value.
 */
final class AnswerCheck {
    private static final double PEER_TOLERANCE = 1e-4;

    /** Tolerance of a peer in bf16, relative to the largest absolute value: twice the unit roundoff. */
    private static final double BF16_TOLERANCE = 0x1p-7;

    /** Queries per band. */
    private static final long BAND = 16;

    private final AttentionBackend reference = new ReferenceBackend();
    private final AttentionBackend naive = new NaiveBackend();
    private final String backend;
    private final boolean heed;
    private DType storage = DType.F32;

    AnswerCheck(String backend, boolean heed) {
        this.backend = backend;
        this.heed = heed;
    }

    /**
     * Checks an answer.
     *
     * @throws IllegalStateException if the answer is wrong
     */
    void requireRight(Workload workload, List<Tensor> answer) {
        storage = switch (workload) {
            case Workload.Attend a -> a.problem().type();
            case Workload.MultiHead m -> m.problem().attention().type();
            case Workload.Soften s -> s.problem().type();
        };
        switch (workload) {
            case Workload.Attend a when a.outputGradient() == null -> bands(a, answer.getFirst());
            case Workload.Attend a -> lastHead(a, a.outputGradient(), answer);
            case Workload.Soften s -> rows(s, answer.getFirst());
            case Workload.MultiHead m -> lastSequence(m.inputs(), answer.getFirst());
        }
    }

    private void bands(Workload.Attend a, Tensor output) {
        long queries = a.shape().seqLenQ();
        long middle = (queries - BAND) / 2;
        long[] starts = queries <= 3 * BAND
                ? LongStream.iterate(0, first -> first < queries, first -> first + BAND)
                        .toArray()
                : new long[] {0, middle, queries - BAND};
        for (long first : starts) {
            long end = Math.min(first + BAND, queries);
            // The causal mask is aligned at the last key. Keys that the band's last query cannot attend to are cut off,
            // so the same mask fits the band.
            long keys = a.causal()
                    ? a.shape().seqLenKv() - queries + end
                    : a.shape().seqLenKv();
            AttentionInputs in = a.inputs();
            AttentionInputs part = AttentionInputs.of(
                    in.query().slice(2, first, end),
                    in.key().slice(2, 0, keys),
                    in.value().slice(2, 0, keys),
                    in.options());
            AttentionInputs f64 = toF64(part);
            var right = AttentionResult.allocate(f64.problem());
            var textbook = AttentionResult.allocate(part.problem());
            try (var plan = reference.plan(f64.problem())) {
                plan.forward(f64, right);
            }
            try (var plan = naive.plan(part.problem())) {
                plan.forward(part, textbook);
            }
            require("output", false, output.slice(2, first, end), right.output(), textbook.output());
        }
    }

    private void lastHead(Workload.Attend a, Tensor outputGradient, List<Tensor> answer) {
        AttentionShape s = a.shape();
        AttentionInputs in = a.inputs();
        AttentionInputs part = AttentionInputs.of(
                lastHead(in.query(), s.groupSize()),
                lastHead(in.key(), 1),
                lastHead(in.value(), 1),
                in.options().withLse());
        Tensor gradient = lastHead(outputGradient, s.groupSize());
        AttentionGradients right = gradients(reference, toF64(part), gradient.to(DType.F64));
        AttentionGradients textbook = gradients(naive, part, gradient);
        require("query gradient", true, lastHead(answer.get(0), s.groupSize()), right.query(), textbook.query());
        require("key gradient", true, lastHead(answer.get(1), 1), right.key(), textbook.key());
        require("value gradient", true, lastHead(answer.get(2), 1), right.value(), textbook.value());
    }

    private static AttentionGradients gradients(AttentionBackend by, AttentionInputs inputs, Tensor outputGradient) {
        var result = AttentionResult.allocate(inputs.problem());
        var gradients = AttentionGradients.allocate(inputs);
        try (var plan = by.plan(inputs.problem())) {
            plan.forward(inputs, result);
            plan.backward(inputs, result, outputGradient, null, gradients);
        }
        return gradients;
    }

    private static Tensor lastHead(Tensor tensor, long group) {
        return last(tensor, 0, 1).slice(1, tensor.size(1) - group, tensor.size(1));
    }

    private static Tensor last(Tensor tensor, int axis, long count) {
        return tensor.slice(axis, tensor.size(axis) - count, tensor.size(axis));
    }

    private void rows(Workload.Soften s, Tensor output) {
        long rows = s.input().size(0);
        for (long row : new long[] {0, rows / 2, rows - 1}) {
            Tensor input = s.input().slice(0, row, row + 1);
            SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), -1, DType.F32, false);
            SoftmaxProblem f64 = SoftmaxProblem.of(input.shape(), -1, DType.F64, false);
            Tensor right = Tensor.zeros(DType.F64, input.shape());
            Tensor textbook = Tensor.zeros(DType.F32, input.shape());
            try (var plan = reference.plan(f64)) {
                plan.forward(input.to(DType.F64), right);
            }
            try (var plan = naive.plan(problem)) {
                plan.forward(input, textbook);
            }
            require("output", false, output.slice(0, row, row + 1), right, textbook);
        }
    }

    private void lastSequence(MultiHeadInputs in, Tensor output) {
        AttentionShape s = in.problem().attention().shape();
        Tensor x = last(in.query(), 0, 1);
        MultiHeadInputs part = MultiHeadInputs.of(x, x, x, in.weights(), s.numHeads(), s.numKvHeads(), in.options());
        Tensor f64X = x.to(DType.F64);
        MultiHeadInputs f64 =
                MultiHeadInputs.of(f64X, f64X, f64X, toF64(in.weights()), s.numHeads(), s.numKvHeads(), in.options());
        require("output", false, last(output, 0, 1), multiHead(reference, f64), multiHead(naive, part));
    }

    private static Tensor multiHead(AttentionBackend by, MultiHeadInputs inputs) {
        var result = AttentionResult.allocate(inputs.problem());
        try (var plan = by.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result.output();
    }

    private static AttentionInputs toF64(AttentionInputs in) {
        return AttentionInputs.of(
                in.query().to(DType.F64), in.key().to(DType.F64), in.value().to(DType.F64), in.options());
    }

    private static MultiHeadWeights toF64(MultiHeadWeights w) {
        return MultiHeadWeights.of(
                        w.query().to(DType.F64),
                        w.key().to(DType.F64),
                        w.value().to(DType.F64),
                        w.output().to(DType.F64))
                .withBiases(
                        w.queryBias().to(DType.F64),
                        w.keyBias().to(DType.F64),
                        w.valueBias().to(DType.F64),
                        w.outputBias().to(DType.F64));
    }

    private void require(String name, boolean gradient, Tensor ours, Tensor right, Tensor textbook) {
        double[] truth = right.toDoubleArray();
        if (ours.elementCount() != truth.length) {
            throw new IllegalStateException(backend + ": " + name + " " + ours + ", expected " + right);
        }
        DType type = ours.type();
        ErrorBudget budget = gradient ? ErrorBudget.gradient(type) : ErrorBudget.forward(type);
        Measure measure =
                budget.measure(name, ours.toDoubleArray(), truth, textbook.toDoubleArray(), Double.POSITIVE_INFINITY);
        double largest = 0;
        for (double value : truth) {
            largest = Math.max(largest, Math.abs(value));
        }
        double tolerance = storage == DType.BF16 ? BF16_TOLERANCE : PEER_TOLERANCE;
        boolean passed = heed ? measure.passed() : measure.maxError() <= tolerance * largest;
        if (!passed) {
            throw new IllegalStateException(backend + " is wrong: " + measure);
        }
    }
}
