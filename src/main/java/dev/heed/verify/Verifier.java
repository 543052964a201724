package dev.heed.verify;

import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.RotaryInputs;
import dev.heed.RotaryProblem;
import dev.heed.ScoreStage;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A checker of one backend: it tests that the results are within the {@link ErrorBudget} of the double-precision
 * reference.
 */
public final class Verifier {
    /**
     * Largest absolute score for which the absolute limit {@code MODERATE_CAP * max |value|} of the contract applies.
     */
    private static final double MODERATE_SCORE = 10;

    private static final double MODERATE_CAP = 1e-6;

    /** Maximum number of scores that the reference computes although the case does not request them. */
    private static final long SMALL = 4_000_000;

    private final AttentionBackend backend;
    private final AttentionBackend truth = new ReferenceBackend();
    private final AttentionBackend naive = new NaiveBackend();

    /** Creates a verifier of one backend. */
    public Verifier(AttentionBackend backend) {
        this.backend = backend;
    }

    /** {@return the verdict on a case, which is FAIL if the backend throws} */
    public Verdict check(Case checked) {
        return check(checked, 1);
    }

    /**
     * {@return the verdict on a case, with the shortest and the median time of repeated runs}
     *
     * @param checked the case to check
     * @param repeats the number of runs of the backend, at least 1; the reference and the naive implementation run once
     */
    public Verdict check(Case checked, int repeats) {
        List<String> reasons = new ArrayList<>(backend.notReadyReasons());
        if (reasons.isEmpty()) {
            reasons.addAll(backend.notSupportedReasons(checked.problem()));
        }
        if (!reasons.isEmpty()) {
            return new Verdict(checked, Verdict.Status.SKIP, List.of(), String.join("; ", reasons), 0, 0);
        }
        var measured = new ArrayList<Measure>();
        try (Arena arena = Arena.ofShared()) {
            Trial trial = new Trial(checked, new CaseData(checked, arena), measured, new long[repeats]);
            trial.run();
            List<String> complaints = new ArrayList<>(trial.complaints);
            measured.stream().filter(m -> !m.passed()).map(Measure::toString).forEach(complaints::add);
            return new Verdict(
                    checked,
                    complaints.isEmpty() ? Verdict.Status.PASS : Verdict.Status.FAIL,
                    measured,
                    String.join("; ", complaints),
                    trial.nanos(0),
                    trial.nanos(repeats / 2));
        } catch (RuntimeException | LinkageError e) {
            return new Verdict(checked, Verdict.Status.FAIL, measured, "threw " + e, 0, 0);
        }
    }

    /**
     * {@return the measures of a case on inputs near its own} Each {@link Measure#naiveError} is the error that the naive
     * implementation has there.
     *
     * @param nudge the seed of the relative differences from the case's inputs
     */
    static List<Measure> naiveNear(Case checked, long nudge) {
        var measured = new ArrayList<Measure>();
        try (Arena arena = Arena.ofShared()) {
            CaseData near = new CaseData(checked, arena, nudge);
            new Verifier(new NaiveBackend()).new Trial(checked, near, measured, new long[1]).run();
        }
        return measured;
    }

    /** The check of one case, which the backend, the reference and the naive implementation all compute. */
    private final class Trial {
        private final Case checked;
        private final CaseData data;
        private final List<Measure> measures;
        private final List<String> complaints = new ArrayList<>();
        private final long[] times;

        Trial(Case checked, CaseData data, List<Measure> measures, long[] times) {
            this.checked = checked;
            this.data = data;
            this.measures = measures;
            this.times = times;
        }

        void run() {
            switch (checked.problem()) {
                case AttentionProblem p -> attention(p);
                case SoftmaxProblem p -> softmax(p);
                case MultiHeadProblem p -> multiHead(p);
                case LinearProblem p -> linear(p);
                case RotaryProblem p -> rotary(p);
            }
        }

        private void timed(Runnable work) {
            for (int repeat = 0; repeat < times.length; repeat++) {
                long start = System.nanoTime();
                work.run();
                times[repeat] += System.nanoTime() - start;
            }
        }

        /** {@return the time of a rank in nanoseconds; rank 0 is the shortest time} */
        private long nanos(int rank) {
            long[] sorted = times.clone();
            Arrays.sort(sorted);
            return sorted[rank];
        }

        private void attention(AttentionProblem p) {
            AttentionInputs inputs = data.attention(p);
            AttentionInputs f64 = CaseData.toF64(withCheckedOutputs(inputs));
            AttentionResult ours = AttentionResult.allocate(p, data::place);
            AttentionResult right = AttentionResult.allocate(f64.problem());
            AttentionResult textbook = AttentionResult.allocate(p);
            try (var plan = backend.plan(p);
                    var truthPlan = truth.plan(f64.problem());
                    var naivePlan = naive.plan(p)) {
                timed(() -> plan.forward(inputs, ours));
                truthPlan.forward(f64, right);
                naivePlan.forward(inputs, textbook);
                forward(p, inputs, ours, right, textbook);
                if (checked.backward()) {
                    AttentionShape s = p.shape();
                    Tensor dOutput =
                            data.random(p.outputType(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
                    Tensor dLse =
                            p.lse() ? data.random(p.type().accumulator(), s.batch(), s.numHeads(), s.seqLenQ()) : null;
                    AttentionGradients dOurs = place(inputs);
                    AttentionGradients dRight = AttentionGradients.allocate(f64);
                    AttentionGradients dTextbook = AttentionGradients.allocate(inputs);
                    timed(() -> plan.backward(inputs, ours, dOutput, dLse, dOurs));
                    truthPlan.backward(f64, right, dOutput.to(DType.F64), toF64(dLse), dRight);
                    naivePlan.backward(inputs, textbook, dOutput, dLse, dTextbook);
                    ErrorBudget budget = ErrorBudget.gradient(p.type()).allowing(p.tf32());
                    measure(budget, "query gradient", dOurs.query(), dRight.query(), dTextbook.query());
                    ErrorBudget keys = ErrorBudget.parameter(
                                    p.type(), dOurs.key().elementCount())
                            .allowing(p.tf32());
                    ErrorBudget values = ErrorBudget.parameter(
                                    p.type(), dOurs.value().elementCount())
                            .allowing(p.tf32());
                    measure(keys, "key gradient", dOurs.key(), dRight.key(), dTextbook.key());
                    measure(values, "value gradient", dOurs.value(), dRight.value(), dTextbook.value());
                    DType accumulatorType = p.type().accumulator();
                    DType parameters = parameterType(accumulatorType);
                    measure(
                            sums(parameters, dOurs.bias(), p.tf32()),
                            "bias gradient",
                            dOurs.bias(),
                            dRight.bias(),
                            dTextbook.bias());
                    measure(
                            sums(parameters, dOurs.sink(), p.tf32()),
                            "sink gradient",
                            dOurs.sink(),
                            dRight.sink(),
                            dTextbook.sink());
                    parameters(accumulatorType, dOurs.score(), dRight.score(), dTextbook.score());
                }
            }
        }

        /** {@return the budget of a gradient whose elements are sums over all scores that share a parameter} */
        private static ErrorBudget sums(DType type, @Nullable Tensor gradient, boolean tf32) {
            return ErrorBudget.parameter(type, gradient == null ? 1 : gradient.elementCount())
                    .allowing(tf32);
        }

        /** {@return the type of the gradient of a parameter: the narrower of the case's parameter type and the type of the sums} */
        private DType parameterType(DType sums) {
            DType stored = checked.parameters();
            return stored == null || stored.bytes() > sums.bytes() ? sums : stored;
        }

        private void parameters(
                DType type,
                @Nullable ScoreFunction ours,
                @Nullable ScoreFunction right,
                @Nullable ScoreFunction textbook) {
            if (ours != null && right != null && textbook != null) {
                ours.parameters()
                        .forEach((name, gradient) -> measure(
                                ErrorBudget.parameter(parameterType(type), gradient.elementCount()),
                                "gradient of " + name,
                                gradient,
                                right.parameters().get(name),
                                textbook.parameters().get(name)));
            }
        }

        /**
         * {@return the inputs with the optional outputs that the check also needs from the reference} If the case has
         * top-k, the check needs all weights, because top-k keys are checked by their weights. If the case is small,
         * the check needs the scores, because the absolute limit applies only if the scores are moderate.
         */
        private AttentionInputs withCheckedOutputs(AttentionInputs inputs) {
            AttentionProblem p = inputs.problem();
            AttentionOptions options = inputs.options();
            options = p.topK() == 0 ? options : options.withWeights();
            boolean small = p.shape().batch()
                            * p.shape().numHeads()
                            * p.shape().seqLenQ()
                            * p.shape().seqLenKv()
                    <= SMALL;
            options = small && p.scores() == null ? options.withScores(ScoreStage.SCORE) : options;
            return AttentionInputs.of(inputs.query(), inputs.key(), inputs.value(), options);
        }

        private void forward(
                AttentionProblem p,
                AttentionInputs inputs,
                AttentionResult ours,
                AttentionResult right,
                AttentionResult textbook) {
            measure(
                    ErrorBudget.forward(p.outputType()).allowing(p.tf32()),
                    "output",
                    ours.output(),
                    right.output(),
                    textbook.output(),
                    cap(p, inputs, right.scores()));
            statistics(p, ours, right, textbook);
        }

        private void statistics(
                AttentionProblem p, AttentionResult ours, AttentionResult right, AttentionResult textbook) {
            ErrorBudget budget =
                    ErrorBudget.forward(p.outputType().accumulator()).allowing(p.tf32());
            measure(budget, "lse", ours.lse(), right.lse(), textbook.lse());
            measure(budget, "row max, sum", lse(ours), lse(right), lse(textbook));
            refuseStrayWrites("row maxima", ours.rowMax());
            refuseStrayWrites("row sums", ours.rowSum());
            measure(budget, "weights", ours.weights(), right.weights(), textbook.weights());
            measure(budget, "row weights", ours.rowWeights(), right.rowWeights(), textbook.rowWeights());
            measure(budget, "scores", ours.scores(), right.scores(), textbook.scores());
            measure(budget, "top-k weights", ours.topKWeights(), right.topKWeights(), textbook.topKWeights());
            if (ours.topKIndices() != null && right.weights() != null) {
                refuseRepeats(ours.topKIndices());
                Tensor gathered = gathered(right.weights(), ours.topKIndices());
                measure(budget, "weights of top-k keys", gathered, right.topKWeights(), textbook.topKWeights());
            }
        }

        /** {@return the LSE in f64, computed from the row maxima and row sums; null if the result has none} */
        private static @Nullable Tensor lse(AttentionResult result) {
            Tensor maxima = result.rowMax();
            Tensor sums = result.rowSum();
            if (maxima == null || sums == null) {
                return null;
            }
            double[] lse = maxima.toHost().toDoubleArray();
            double[] exponentials = sums.toHost().toDoubleArray();
            for (int row = 0; row < lse.length; row++) {
                lse[row] += Math.log(exponentials[row]);
            }
            return Tensor.of(lse, maxima.shape());
        }

        /** Adds a complaint if a top-k list contains a key twice. */
        private void refuseRepeats(Tensor indices) {
            int k = Math.toIntExact(indices.size(3));
            double[] keys = indices.toDoubleArray();
            for (int row = 0; row < keys.length; row += k) {
                double[] listed = Arrays.stream(keys, row, row + k)
                        .filter(key -> key >= 0)
                        .toArray();
                if (Arrays.stream(listed).distinct().count() != listed.length) {
                    complaints.add("top-k keys: row " + row / k + " names a key twice: " + Arrays.toString(listed));
                }
            }
        }

        /** {@return the absolute limit of f32 outputs if all scores are known and moderate, else infinity} */
        private double cap(AttentionProblem p, AttentionInputs inputs, @Nullable Tensor scores) {
            boolean moderate = p.type() == DType.F32
                    && !p.tf32()
                    && scores != null
                    && p.scores() != ScoreStage.MODIFIED
                    && largest(scores) <= MODERATE_SCORE;
            double maxMagnitude =
                    largest(inputs.value()) / (1 - p.dropout()); // dropout divides the remaining weights by 1 - p
            return moderate ? MODERATE_CAP * maxMagnitude : Double.POSITIVE_INFINITY;
        }

        private void softmax(SoftmaxProblem p) {
            Tensor input = data.random(p.type(), p.sizes());
            SoftmaxProblem f64 = new SoftmaxProblem(p.shape(), p.axis(), DType.F64, p.log());
            Tensor ours = data.place(p.type(), p.sizes());
            Tensor right = Tensor.zeros(DType.F64, p.sizes());
            Tensor textbook = Tensor.zeros(p.type(), p.sizes());
            try (var plan = backend.plan(p);
                    var truthPlan = truth.plan(f64);
                    var naivePlan = naive.plan(p)) {
                timed(() -> plan.forward(input, ours));
                truthPlan.forward(input.to(DType.F64), right);
                naivePlan.forward(input, textbook);
                measure(ErrorBudget.forward(p.type()), "output", ours, right, textbook);
                if (checked.backward()) {
                    Tensor dOutput = data.random(p.type(), p.sizes());
                    Tensor saved = right.to(p.type()); // all implementations start from the same forward output
                    Tensor dOurs = data.place(p.type(), p.sizes());
                    Tensor dRight = Tensor.zeros(DType.F64, p.sizes());
                    Tensor dTextbook = Tensor.zeros(p.type(), p.sizes());
                    timed(() -> plan.backward(saved, dOutput, dOurs));
                    truthPlan.backward(saved.to(DType.F64), dOutput.to(DType.F64), dRight);
                    naivePlan.backward(saved, dOutput, dTextbook);
                    measure(ErrorBudget.gradient(p.type()), "input gradient", dOurs, dRight, dTextbook);
                }
            }
        }

        private void multiHead(MultiHeadProblem p) {
            MultiHeadInputs inputs = data.multiHead(p);
            MultiHeadInputs f64 = CaseData.toF64(inputs);
            DType type = p.attention().type();
            AttentionResult ours = AttentionResult.allocate(p, data::place);
            AttentionResult right = AttentionResult.allocate(f64.problem());
            AttentionResult textbook = AttentionResult.allocate(p);
            try (var plan = backend.plan(p);
                    var truthPlan = truth.plan(f64.problem());
                    var naivePlan = naive.plan(p)) {
                timed(() -> plan.forward(inputs, ours));
                truthPlan.forward(f64, right);
                naivePlan.forward(inputs, textbook);
                measure(ErrorBudget.forward(type), "output", ours.output(), right.output(), textbook.output());
                statistics(p.attention(), ours, right, textbook);
                if (checked.backward()) {
                    Tensor dOutput = data.random(type, p.outputShape());
                    MultiHeadGradients dOurs = MultiHeadGradients.allocate(inputs);
                    MultiHeadGradients dRight = MultiHeadGradients.allocate(f64);
                    MultiHeadGradients dTextbook = MultiHeadGradients.allocate(inputs);
                    timed(() -> plan.backward(inputs, dOutput, dOurs));
                    truthPlan.backward(f64, dOutput.to(DType.F64), dRight);
                    naivePlan.backward(inputs, dOutput, dTextbook);
                    gradients(ErrorBudget.gradient(type), dOurs, dRight, dTextbook);
                }
            }
        }

        private void gradients(
                ErrorBudget budget, MultiHeadGradients ours, MultiHeadGradients right, MultiHeadGradients textbook) {
            measure(budget, "query gradient", ours.query(), right.query(), textbook.query());
            measure(budget, "key gradient", ours.key(), right.key(), textbook.key());
            measure(budget, "value gradient", ours.value(), right.value(), textbook.value());
            MultiHeadWeights w = ours.weights();
            MultiHeadWeights r = right.weights();
            MultiHeadWeights t = textbook.weights();
            measure(budget, "query weights gradient", w.query(), r.query(), t.query());
            measure(budget, "key weights gradient", w.key(), r.key(), t.key());
            measure(budget, "value weights gradient", w.value(), r.value(), t.value());
            measure(budget, "output weights gradient", w.output(), r.output(), t.output());
            measure(budget, "query bias gradient", w.queryBias(), r.queryBias(), t.queryBias());
            measure(budget, "key bias gradient", w.keyBias(), r.keyBias(), t.keyBias());
            measure(budget, "value bias gradient", w.valueBias(), r.valueBias(), t.valueBias());
            measure(budget, "output bias gradient", w.outputBias(), r.outputBias(), t.outputBias());
            parameters(ours.query().type().accumulator(), ours.score(), right.score(), textbook.score());
        }

        private void linear(LinearProblem p) {
            Tensor input = data.random(p.type(), p.rows(), p.in());
            LinearWeights weights = data.linear(p);
            LinearWeights f64 = new LinearWeights(weights.weight().to(DType.F64), toF64(weights.bias()));
            LinearProblem f64Problem = f64.problem(p.rows(), p.activation());
            Tensor ours = data.place(p.type(), p.rows(), p.out());
            Tensor right = Tensor.zeros(DType.F64, p.rows(), p.out());
            Tensor textbook = Tensor.zeros(p.type(), p.rows(), p.out());
            try (var plan = backend.plan(p);
                    var truthPlan = truth.plan(f64Problem);
                    var naivePlan = naive.plan(p)) {
                timed(() -> plan.forward(input, weights, ours));
                truthPlan.forward(input.to(DType.F64), f64, right);
                naivePlan.forward(input, weights, textbook);
                measure(ErrorBudget.forward(p.type()), "output", ours, right, textbook);
                Tensor constantOutput = data.place(p.type(), p.rows(), p.out());
                plan.forward(input, weights.asConstant(), constantOutput);
                if (!Arrays.equals(ours.toDoubleArray(), constantOutput.toDoubleArray())) {
                    complaints.add("constant weights give a different output");
                }
                if (checked.backward()) {
                    Tensor dOutput = data.random(p.type(), p.rows(), p.out());
                    Tensor dOurs = data.place(p.type(), p.rows(), p.in());
                    Tensor dRight = Tensor.zeros(DType.F64, p.rows(), p.in());
                    Tensor dTextbook = Tensor.zeros(p.type(), p.rows(), p.in());
                    LinearWeights dw = weights.zerosLike();
                    LinearWeights dwRight = f64.zerosLike();
                    LinearWeights dwTextbook = weights.zerosLike();
                    timed(() -> plan.backward(input, weights, dOutput, dOurs, dw));
                    truthPlan.backward(input.to(DType.F64), f64, dOutput.to(DType.F64), dRight, dwRight);
                    naivePlan.backward(input, weights, dOutput, dTextbook, dwTextbook);
                    ErrorBudget budget = ErrorBudget.gradient(p.type());
                    measure(budget, "input gradient", dOurs, dRight, dTextbook);
                    measure(budget, "weight gradient", dw.weight(), dwRight.weight(), dwTextbook.weight());
                    measure(budget, "bias gradient", dw.bias(), dwRight.bias(), dwTextbook.bias());
                }
            }
        }

        private void rotary(RotaryProblem p) {
            RotaryInputs inputs = data.rotary(p);
            RotaryInputs f64 = RotaryInputs.of(
                    inputs.input().to(DType.F64), inputs.cos(), inputs.sin(), inputs.positions(), p.interleaved());
            long[] shape = inputs.input().shape();
            Tensor ours = data.place(p.type(), shape);
            Tensor right = Tensor.zeros(DType.F64, shape);
            Tensor textbook = Tensor.zeros(p.type(), shape);
            try (var plan = backend.plan(p);
                    var truthPlan = truth.plan(f64.problem());
                    var naivePlan = naive.plan(p)) {
                timed(() -> plan.forward(inputs, ours));
                truthPlan.forward(f64, right);
                naivePlan.forward(inputs, textbook);
                measure(ErrorBudget.forward(p.type()), "output", ours, right, textbook);
                if (checked.backward()) {
                    Tensor dOutput = data.random(p.type(), shape);
                    Tensor dOurs = data.place(p.type(), shape);
                    Tensor dRight = Tensor.zeros(DType.F64, shape);
                    Tensor dTextbook = Tensor.zeros(p.type(), shape);
                    timed(() -> plan.backward(inputs, dOutput, dOurs));
                    truthPlan.backward(f64, dOutput.to(DType.F64), dRight);
                    naivePlan.backward(inputs, dOutput, dTextbook);
                    measure(ErrorBudget.gradient(p.type()), "input gradient", dOurs, dRight, dTextbook);
                }
            }
        }

        private AttentionGradients place(AttentionInputs inputs) {
            return AttentionGradients.into(like(inputs.query()), like(inputs.key()), like(inputs.value()))
                    .withBias(
                            inputs.options().bias() == null
                                    ? null
                                    : like(inputs.options().bias()))
                    .withSink(
                            inputs.options().sink() == null
                                    ? null
                                    : like(inputs.options().sink()))
                    .withScore(
                            inputs.options().score().parameters().isEmpty()
                                    ? null
                                    : inputs.options().score().map(this::like));
        }

        private Tensor like(Tensor input) {
            return data.place(input.type(), input.shape());
        }

        private void measure(
                ErrorBudget budget,
                String name,
                @Nullable Tensor ours,
                @Nullable Tensor right,
                @Nullable Tensor textbook) {
            measure(budget, name, ours, right, textbook, Double.POSITIVE_INFINITY);
        }

        private void measure(
                ErrorBudget budget,
                String name,
                @Nullable Tensor ours,
                @Nullable Tensor right,
                @Nullable Tensor textbook,
                double cap) {
            if (ours == null || right == null || textbook == null) {
                return;
            }
            measures.add(
                    budget.measure(name, ours.toDoubleArray(), right.toDoubleArray(), textbook.toDoubleArray(), cap));
            refuseStrayWrites(name, ours);
        }

        private void refuseStrayWrites(String name, @Nullable Tensor ours) {
            long strays = ours == null ? 0 : Placement.strayWrites(ours);
            if (strays > 0) {
                complaints.add(name + ": " + strays + " elements outside the tensor were written");
            }
        }
    }

    private static @Nullable Tensor toF64(@Nullable Tensor tensor) {
        return tensor == null ? null : tensor.to(DType.F64);
    }

    private static double largest(Tensor tensor) {
        double largest = 0;
        for (double value : tensor.toDoubleArray()) {
            largest = Double.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
        }
        return largest;
    }

    /** {@return for each element of {@code indices} the weight of that key in its row; 0 for an index of -1} */
    private static Tensor gathered(Tensor weights, Tensor indices) {
        Tensor gathered = Tensor.zeros(weights.type(), indices.shape());
        for (long b = 0; b < indices.size(0); b++) {
            for (long h = 0; h < indices.size(1); h++) {
                for (long i = 0; i < indices.size(2); i++) {
                    for (long n = 0; n < indices.size(3); n++) {
                        long key = (long) indices.get(b, h, i, n);
                        gathered.set(key < 0 ? 0 : weights.get(b, h, i, key), b, h, i, n);
                    }
                }
            }
        }
        return gathered;
    }
}
