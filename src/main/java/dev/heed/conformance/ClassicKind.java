package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadWeights;
import dev.heed.ScoreStage;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A runner of one classic test vector, of any kind, on a backend. Every kind is computed by attention, so that the
 * masks and the softmax of attention are tested. For kinds that test only the softmax, a row of scores becomes a query,
 * and the keys are unit vectors: {@code row . e_j} is score {@code j}.
 */
final class ClassicKind {
    private final ClassicCase item;
    private final AttentionBackend backend;
    private final Comparison comparison;

    ClassicKind(ClassicCase item, AttentionBackend backend, Comparison comparison) {
        this.item = item;
        this.backend = backend;
        this.comparison = comparison;
    }

    void run() {
        switch (item.kind()) {
            case "score.dot" -> scoreDot();
            case "score.additive" -> scoreAdditive();
            case "score.additive_projected" -> scoreAdditiveProjected();
            case "score.general" -> scoreGeneral();
            case "score.cosine" -> scoreCosine();
            case "attention.dot" -> attentionDot();
            case "attention.additive" -> attentionAdditive();
            case "attention.any_score" -> anyScore();
            case "softmax.masked" -> softmaxMasked();
            case "softmax_apply" -> softmaxApply();
            case "mask.causal_top_left" -> causalTopLeft();
            case "layer.mha" -> multiHead();
            case "seq.attn_lstm" -> new AttentionLstm(item, backend, comparison).run();
            default -> throw new NotCoveredException("kind " + item.kind());
        }
    }

    // ---------------------------------------------------------------- kinds

    private void scoreDot() {
        item.requireKnown(Set.of("scale"), Set.of("q", "k"), Set.of("score"));
        AttentionOptions options = dot().withScores(ScoreStage.SCORE);
        expect(
                "score",
                attend(item.tensor("q"), item.tensor("k"), item.tensor("k"), options)
                        .scores());
    }

    /** {@code v.tanh(scale (q + k))}; the scale becomes a projection. */
    private void scoreAdditive() {
        item.requireKnown(Set.of("inner_scale"), Set.of("q", "k", "v"), Set.of("score"));
        Double scale = item.number("inner_scale");
        Tensor v = item.tensor("v");
        ScoreFunction score = ScoreFunction.additive(v);
        if (scale != null) {
            Tensor weight = Tensor.zeros(v.type(), v.size(0), v.size(0));
            for (long d = 0; d < v.size(0); d++) {
                weight.set(scale, d, d);
            }
            score = ScoreFunction.additive(weight, weight, v);
        }
        expectScores(score, ScoreStage.SCORE);
    }

    private void scoreAdditiveProjected() {
        item.requireKnown(Set.of(), Set.of("q", "k", "Wq", "Wk", "v"), Set.of("score"));
        expectScores(ScoreFunction.additive(item.tensor("Wq"), item.tensor("Wk"), item.tensor("v")), ScoreStage.SCORE);
    }

    /** AllenNLP adds a constant to every score; here the constant is a bias, which the modified scores include. */
    private void scoreGeneral() {
        item.requireKnown(Set.of("bias"), Set.of("q", "k", "W"), Set.of("score"));
        expectScores(ScoreFunction.general(item.tensor("W")), ScoreStage.MODIFIED);
    }

    private void scoreCosine() {
        item.requireKnown(Set.of(), Set.of("q", "k"), Set.of("score"));
        expectScores(ScoreFunction.cosine(), ScoreStage.SCORE);
    }

    private void expectScores(ScoreFunction score, ScoreStage stage) {
        AttentionOptions options = AttentionOptions.DEFAULT.withScore(score).withScores(stage);
        Double bias = item.number("bias");
        if (bias != null) {
            options = options.withBias(Tensor.zeros(DType.F32, 1).fill(bias));
        }
        Tensor key = item.tensor("k");
        expect("score", attend(item.tensor("q"), key, key, options).scores());
    }

    /** Keras masks queries after the softmax: masked queries keep their weights, but their outputs are 0. */
    private void attentionAdditive() {
        item.requireKnown(Set.of(), Set.of("q", "k", "value", "v", "kmask", "qmask"), Set.of("weights", "out"));
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(ScoreFunction.additive(item.tensor("v")))
                .withMask(keyMask())
                .withWeights();
        Tensor qmask = item.tensors().get("qmask");
        AttentionOptions outputs = qmask == null
                ? options
                : options.withMask(
                        keyMask().and(Mask.dense(truths(qmask.unsqueeze(1).unsqueeze(3)))));
        expect(
                "weights",
                attend(item.tensor("q"), item.tensor("k"), item.tensor("value"), options)
                        .weights());
        expect(
                "out",
                attend(item.tensor("q"), item.tensor("k"), item.tensor("value"), outputs)
                        .output());
    }

    private void attentionDot() {
        item.requireKnown(Set.of("scale"), Set.of("q", "k", "value", "kmask"), Set.of("weights", "out"));
        attendAndExpect(dot().withMask(keyMask()));
    }

    /** Equal keys get equal weights, regardless of the score function. */
    private void anyScore() {
        item.requireKnown(Set.of(), Set.of("q", "k", "value", "kmask"), Set.of("weights", "out"));
        for (ScoreFunction score : List.of(ScoreFunction.dot(), ScoreFunction.scaledDot())) {
            attendAndExpect(AttentionOptions.DEFAULT.withScore(score).withMask(keyMask()));
        }
    }

    private void softmaxMasked() {
        item.requireKnown(Set.of("fully_masked"), Set.of("x", "mask"), Set.of("y"));
        String empty = item.attributes().getOrDefault("fully_masked", "zero");
        if (!empty.equals("zero")) {
            throw new NotCoveredException("fully_masked " + empty + ": Heed gives zero");
        }
        Tensor rows = item.tensor("x").unsqueeze(0);
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(ScoreFunction.dot())
                .withMask(Mask.dense(truths(item.tensor("mask"))))
                .withWeights();
        Tensor unit = unit(rows);
        Tensor weights = wanted(attend(rows, unit, unit, options).weights());
        compare("y", weights.select(0, 0).select(0, 0));
    }

    private void softmaxApply() {
        item.requireKnown(Set.of(), Set.of("score", "value", "mask"), Set.of("weights", "out"));
        Tensor scores = item.tensor("score");
        Tensor mask = item.tensors().get("mask");
        AttentionOptions options =
                AttentionOptions.DEFAULT.withScore(ScoreFunction.dot()).withWeights();
        if (mask != null) {
            options = options.withMask(Mask.dense(truths(mask.unsqueeze(1))));
        }
        AttentionResult result = attend(scores, unit(scores), item.tensor("value"), options);
        expect("weights", result.weights());
        expect("out", result.output());
    }

    private void causalTopLeft() {
        item.requireKnown(Set.of("lq", "lk"), Set.of(), Set.of("mask"));
        Tensor query = Tensor.zeros(DType.F32, 1, item.size("lq"), 1);
        Tensor key = Tensor.zeros(DType.F32, 1, item.size("lk"), 1);
        AttentionOptions options =
                AttentionOptions.DEFAULT.causal(CausalAlignment.TOP_LEFT).withWeights();
        Tensor weights = wanted(attend(query, key, key, options).weights());
        // Equal scores: a key has a weight if and only if it is attended.
        compare("mask", truths(weights.select(0, 0).select(0, 0)).to(DType.F32));
    }

    /**
     * In Keras, the kernels of queries, keys and values are [embed, heads, width], the kernel of the output [heads,
     * width, embed]; here all have the same elements.
     */
    private void multiHead() {
        item.requireKnown(
                Set.of("num_heads", "key_dim"),
                Set.of("query", "key", "value", "kernel"),
                Set.of("weights_every_head", "out"));
        long heads = item.size("num_heads");
        long width = heads * item.size("key_dim");
        Tensor kernel = item.tensor("kernel");
        Tensor in = kernel.reshape(kernel.size(0), width);
        Tensor out = kernel.reshape(width, kernel.size(-1));
        var inputs = MultiHeadInputs.of(
                item.tensor("query"),
                item.tensor("key"),
                item.tensor("value"),
                MultiHeadWeights.of(in, in, in, out),
                heads,
                heads,
                AttentionOptions.DEFAULT.withWeights());
        NotCoveredException.requireSupported(backend, inputs.problem());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (MultiHeadPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        Tensor weights = wanted(result.weights());
        for (long h = 0; h < heads; h++) {
            compare("weights_every_head", weights.select(0, 0).select(0, h));
        }
        compare("out", result.output());
    }

    // ---------------------------------------------------------------- steps

    private AttentionOptions dot() {
        Double scale = item.number("scale");
        ScoreFunction score = scale == null ? ScoreFunction.dot() : ScoreFunction.scaledDot(scale);
        return AttentionOptions.DEFAULT.withScore(score);
    }

    private Mask keyMask() {
        Tensor kmask = item.tensors().get("kmask");
        return kmask == null ? Mask.NONE : Mask.dense(truths(kmask.unsqueeze(1).unsqueeze(1)));
    }

    private void attendAndExpect(AttentionOptions options) {
        AttentionResult result =
                attend(item.tensor("q"), item.tensor("k"), item.tensor("value"), options.withWeights());
        expect("weights", result.weights());
        expect("out", result.output());
    }

    /** Computes attention with one head over tensors {@code [batch, sequence, width]}. */
    private AttentionResult attend(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        for (Tensor tensor : List.of(query, key, value)) {
            if (tensor.rank() != 3) {
                throw new InvalidInputException(
                        "Tensors of kind " + item.kind() + " must have three axes",
                        "[batch, sequence, width]",
                        tensor.toString(),
                        "mend the file");
            }
        }
        var inputs = AttentionInputs.of(query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1), options);
        NotCoveredException.requireSupported(backend, inputs.problem());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result;
    }

    /** {@return unit keys {@code [batch, n, n]}, with which query {@code x} has score {@code x_j} at key {@code j}} */
    private static Tensor unit(Tensor rows) {
        long n = rows.size(2);
        Tensor unit = Tensor.zeros(rows.type(), n, n);
        for (long j = 0; j < n; j++) {
            unit.set(1, j, j);
        }
        return unit.expand(rows.size(0), n, n);
    }

    private static Tensor truths(Tensor numbers) {
        return numbers.to(DType.BOOL);
    }

    /** Compares the only head of an output with the expected output, if the item has one. */
    private void expect(String output, @Nullable Tensor heads) {
        if (item.expected().containsKey(output)) {
            compare(output, wanted(heads).select(1, 0));
        }
    }

    private void compare(String output, Tensor actual) {
        Tensor expected = item.expected().get(output);
        if (expected != null) {
            comparison.add(output, expected, actual, item.tolerance());
        }
    }

    private static Tensor wanted(@Nullable Tensor tensor) {
        if (tensor == null) {
            throw new IllegalStateException("the options request it, so the result has a tensor for it");
        }
        return tensor;
    }
}
