package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Static methods for the common calls: attention, multi-head attention, linear layer, softmax and rotary embedding. Each
 * method except {@link #merge} selects a backend, makes a plan, runs the plan and closes it.
 *
 * <pre>{@code
 * Tensor q = Tensor.of(queries, 1, 8, 128, 64);   // float[], [batch, heads, sequence, headDim]
 * AttentionResult r = Attention.scaledDotProduct(q, k, v, AttentionOptions.DEFAULT.causal().withLse());
 * }</pre>
 *
 * <p>Code that computes one problem repeatedly should make its plan once: {@code Backends.select(problem,
 * null).plan(problem)}.
 */
public final class Attention {
    private Attention() {}

    /**
     * {@return the output of attention, {@code softmax(query key' / sqrt(headDim)) value} (Vaswani et al. 2017, equation
     * 1)} Its shape is {@code [batch, numHeads, seqLenQ, valueHeadDim]}; {@code key'} is the transpose of the keys of a
     * head.
     *
     * @param query {@code [batch, numHeads, seqLenQ, headDim]}
     * @param key {@code [batch, numKvHeads, seqLenKv, headDim]}
     * @param value {@code [batch, numKvHeads, seqLenKv, valueHeadDim]}
     * @throws InvalidInputException if the tensors do not fit each other
     */
    public static Tensor scaledDotProduct(Tensor query, Tensor key, Tensor value) {
        return scaledDotProduct(query, key, value, AttentionOptions.DEFAULT).output();
    }

    /**
     * {@return the output of attention with options, and the optional outputs that the options request} The shapes are as
     * in {@link #scaledDotProduct(Tensor, Tensor, Tensor)}.
     *
     * @throws InvalidInputException if an argument does not fit the others
     * @throws UnsupportedAttentionException if no backend can be selected, see {@link Backends#select(Problem, String)}
     */
    public static AttentionResult scaledDotProduct(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        AttentionInputs inputs = AttentionInputs.of(query, key, value, options);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        scaledDotProduct(inputs, result);
        return result;
    }

    /**
     * Computes attention and writes the output and the requested optional outputs to the tensors of {@code result}, which
     * the caller owns.
     *
     * @throws InvalidInputException if the result does not fit the problem or overlaps an input; in that case nothing is
     *     written
     * @throws UnsupportedAttentionException if no backend can be selected, see {@link Backends#select(Problem, String)}
     */
    public static void scaledDotProduct(AttentionInputs inputs, AttentionResult result) {
        Backends.compute(inputs.problem(), inputs.options().backend(), backend -> {
            try (AttentionPlan plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
        });
    }

    /**
     * {@return the gradients of a loss with respect to the inputs of an attention}
     *
     * @param inputs the inputs of the attention
     * @param forward the result of the attention; or a result of more keys, see {@link AttentionPlan#backward}
     * @param outputGradient the gradient of the loss with respect to the output, of the output's shape and type
     * @throws InvalidInputException if an argument does not fit the others
     */
    public static AttentionGradients backward(AttentionInputs inputs, AttentionResult forward, Tensor outputGradient) {
        return backward(inputs, forward, outputGradient, null);
    }

    /**
     * {@return the gradients, with respect to the inputs of an attention, of a loss that depends on its output and its LSE}
     *
     * @param inputs the inputs of the attention
     * @param forward the result of the attention; or a result of more keys, see {@link AttentionPlan#backward}
     * @param outputGradient the gradient of the loss with respect to the output, of the output's shape and type
     * @param lseGradient the gradient of the loss with respect to the LSE, {@code [batch, numHeads, seqLenQ]}, or null for
     *     zero
     * @throws InvalidInputException if an argument does not fit the others
     */
    public static AttentionGradients backward(
            AttentionInputs inputs, AttentionResult forward, Tensor outputGradient, @Nullable Tensor lseGradient) {
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        Backends.compute(inputs.problem(), inputs.options().backend(), backend -> {
            try (AttentionPlan plan = backend.plan(inputs.problem())) {
                plan.backward(inputs, forward, outputGradient, lseGradient, gradients);
            }
        });
        return gradients;
    }

    /**
     * {@return the output of multi-head attention, {@code [batch, seqLenQ, embedOut]}, and the optional outputs that the
     * options request}
     *
     * @throws InvalidInputException if an argument does not fit the others
     */
    public static AttentionResult multiHead(MultiHeadInputs inputs) {
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        Backends.compute(inputs.problem(), inputs.options().backend(), backend -> {
            try (MultiHeadPlan plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
        });
        return result;
    }

    /** {@return the gradients of a loss with respect to the inputs and parameters of a multi-head attention} */
    public static MultiHeadGradients backward(MultiHeadInputs inputs, Tensor outputGradient) {
        MultiHeadGradients gradients = MultiHeadGradients.allocate(inputs);
        Backends.compute(inputs.problem(), inputs.options().backend(), backend -> {
            try (MultiHeadPlan plan = backend.plan(inputs.problem())) {
                plan.backward(inputs, outputGradient, gradients);
            }
        });
        return gradients;
    }

    /**
     * {@return the output {@code f(x W + b)} of a linear layer, {@code [rows, out]}}
     *
     * @param input {@code x}, {@code [rows, in]}
     * @param weights {@code W}, {@code [in, out]}, and {@code b}, {@code [out]} or null
     * @param activation {@code f}
     * @throws InvalidInputException if an argument does not fit the others
     */
    public static Tensor linear(Tensor input, LinearWeights weights, Activation activation) {
        InputCheck.readable("input", input);
        if (input.rank() != 2) {
            throw new InvalidInputException(
                    "The input of a linear layer is not a matrix", "[rows, in]", input.toString(), "reshape(rows, in)");
        }
        LinearProblem problem = weights.problem(input.size(0), activation);
        Tensor output = Tensor.zeros(problem.type(), problem.rows(), problem.out());
        Backends.compute(problem, null, backend -> {
            try (LinearPlan plan = backend.plan(problem)) {
                plan.forward(input, weights, output);
            }
        });
        return output;
    }

    /** {@return the softmax along an axis; axis -1 is the last axis, -2 the axis before it} */
    public static Tensor softmax(Tensor input, int axis) {
        return softmax(input, axis, false);
    }

    /** {@return the logarithm of the softmax along an axis; axis -1 is the last axis, -2 the axis before it} */
    public static Tensor logSoftmax(Tensor input, int axis) {
        return softmax(input, axis, true);
    }

    private static Tensor softmax(Tensor input, int axis, boolean log) {
        SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), axis, input.type(), log);
        Tensor output = Tensor.zeros(input.type(), input.shape());
        Backends.compute(problem, null, backend -> {
            try (SoftmaxPlan plan = backend.plan(problem)) {
                plan.forward(input, output);
            }
        });
        return output;
    }

    /** {@return the input, in which the elements of every head are rotated by the angles of their position} */
    public static Tensor rotary(RotaryInputs inputs) {
        Tensor output = Tensor.zeros(inputs.input().type(), inputs.input().shape());
        Backends.compute(inputs.problem(), null, backend -> {
            try (RotaryPlan plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, output);
            }
        });
        return output;
    }

    /**
     * {@return the attention over all keys, merged from two attentions of the same queries over disjoint sets of keys} See
     * {@link #merge(List)}.
     *
     * @param first the result for some of the keys, with its LSE
     * @param second the result for the other keys, with its LSE
     * @throws InvalidInputException if an LSE is missing, or if shapes or types of the results differ
     */
    public static AttentionResult merge(AttentionResult first, AttentionResult second) {
        return merge(List.of(first, second));
    }

    /**
     * {@return the attention over all keys, merged from attentions of the same queries over disjoint sets of keys: output and
     * LSE in the types of the results} The results are merged in the order of the list, in f64, and each element is rounded
     * once. A chain of merges rounds to the type of the results after each merge instead, so its error grows with the number
     * of results unless they are {@linkplain AttentionOptions#withPartial() partial results}. {@link AttentionStates} merges
     * results that are not all available at the same time.
     *
     * @param results at least one result, each with its LSE
     * @throws InvalidInputException if there is no result, if an LSE is missing, or if shapes or types of the results differ
     */
    public static AttentionResult merge(List<AttentionResult> results) {
        requireResults(results);
        DType type = results.getFirst().output().type();
        for (AttentionResult result : results) {
            InputCheck.input(
                    "output", result.output(), type, results.getFirst().output().shape());
        }
        return merge(results, type);
    }

    /**
     * {@return the attention over all keys, merged from attentions of the same queries over disjoint sets of keys} The results
     * may have different types, for example if only some are {@linkplain AttentionOptions#withPartial() partial results}. They
     * are merged as by {@link #merge(List)}.
     *
     * @param results at least one result, each with its LSE
     * @param type the floating-point type of the output; the LSE has its {@linkplain DType#accumulator accumulator type}
     * @throws InvalidInputException if there is no result, if an LSE is missing, or if the shapes of the results differ
     */
    public static AttentionResult merge(List<AttentionResult> results, DType type) {
        requireResults(results);
        AttentionStates states = AttentionStates.of(results.getFirst());
        for (AttentionResult result : results.subList(1, results.size())) {
            states.add(result);
        }
        return states.result(type);
    }

    private static void requireResults(List<AttentionResult> results) {
        if (results.isEmpty()) {
            throw new InvalidInputException(
                    "There is nothing to merge",
                    "at least one result",
                    "an empty list",
                    "AttentionStates.empty(batch, numHeads, seqLenQ, valueHeadDim, 0) are the states of no keys");
        }
    }
}
