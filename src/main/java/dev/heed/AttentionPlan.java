package dev.heed;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A {@link Plan} that computes one attention, with scaled dot products or any other score function. */
public abstract non-sealed class AttentionPlan extends Plan<AttentionProblem> {
    /** Creates the plan of a problem. */
    protected AttentionPlan(AttentionProblem problem) {
        super(problem);
    }

    /**
     * Computes {@code softmax(modify(score(query, key))) value} and the optional outputs that the options request.
     *
     * @param inputs the tensors to read
     * @param result the tensors to write to
     * @throws InvalidInputException if the result does not fit the problem or overlaps an input; in that case nothing is
     *     written
     */
    public final void forward(AttentionInputs inputs, AttentionResult result) {
        requireRunnable(inputs.problem());
        try {
            result.requireFits(problem());
            InputCheck.disjoint(result.tensors(), inputs.tensors());
            requireReachable(inputs.tensors());
            requireReachable(result.tensors());
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run("attention forward", () -> runForward(inputs, result), inputs::tensors, result::tensors);
    }

    /**
     * Computes the gradients of a loss with respect to the inputs (Dao 2023, algorithm 2). {@code P} are the weights,
     * {@code S} the modified scores, {@code dO} and {@code dLSE} the gradients of output and LSE; {@code '} is a transpose,
     * {@code *} the element-wise product. Without dropout:
     *
     * <pre>
     * dV = P' dO    dP = dO V'    delta = rowsum(P * dP)    dS = P * (dP - delta + dLSE)
     * </pre>
     *
     * <p>The result may have more keys than {@code inputs}: it is merged or {@linkplain AttentionResult#asMerged marked}, or it
     * was allocated for a problem with more keys. Then its row maxima m, row sums l and output O are used:
     * {@code P = e^(S - m) / l} and {@code delta = rowsum(dO * O)} (Dao 2023, algorithm 2). The gradients of the given keys, values
     * and bias are their gradients in the attention over all keys, the query's gradient is the term of the given keys, and the
     * sink's gradient is the whole gradient. Over disjoint sets of keys, the terms of the query's gradient add up to the gradient
     * of the attention over all keys.
     *
     * @param inputs the inputs of forward
     * @param forward the result of forward: its output and, if present, its LSE. For a result of more keys without row maxima and
     *     row sums, the LSE takes their place.
     * @param outputGradient the gradient of the loss with respect to the output, of the output's shape and type
     * @param lseGradient the gradient of the loss with respect to the LSE, {@code [batch, numHeads, seqLenQ]}, or null for
     *     zero
     * @param gradients the tensors to write to; earlier contents are overwritten
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void backward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        requireRunnable(inputs.problem());
        boolean moreKeys = forward.hasMoreKeysThan(problem().shape().seqLenKv());
        try {
            forward.requireReadable(problem());
            AttentionShape s = problem().shape();
            InputCheck.input(
                    "output gradient",
                    outputGradient,
                    problem().outputType(),
                    s.batch(),
                    s.numHeads(),
                    s.seqLenQ(),
                    s.valueHeadDim());
            InputCheck.floating("lse gradient", lseGradient, s.batch(), s.numHeads(), s.seqLenQ());
            if (problem().kvType() == DType.I8) {
                throw new InvalidInputException(
                        "Keys and values of bytes have no gradient",
                        "keys and values of " + problem().type().label(),
                        "i8",
                        "tensor.to(DType." + problem().type() + ")");
            }
            gradients.requireFits(inputs);
            if (moreKeys && inputs.options().dropout() > 0) {
                throw new InvalidInputException(
                        "Dropout does not know the positions of some of the keys among all keys",
                        "dropout 0 with a result of more keys",
                        "dropout " + inputs.options().dropout(),
                        "options.withDropout(0, 0)");
            }
            if (inputs.options().score() instanceof ScoreFunction.Custom custom && custom.gradient() == null) {
                throw new InvalidInputException(
                        "The caller's score function has no gradient",
                        "a function and its derivative",
                        "custom:" + custom.name(),
                        "ScoreFunction.custom(name, score, gradient)");
            }
            List<@Nullable Tensor> read = read(inputs, forward, outputGradient, lseGradient);
            InputCheck.disjoint(gradients.tensors(), read);
            requireReachable(read);
            requireReachable(gradients.tensors());
        } catch (InvalidInputException e) {
            throw located(e);
        }
        AttentionResult given = moreKeys ? forward.withStatisticsOfLse().asMerged() : forward;
        run(
                "attention backward",
                () -> runBackward(inputs, given, outputGradient, lseGradient, gradients),
                () -> read(inputs, forward, outputGradient, lseGradient),
                gradients::tensors);
    }

    private static List<@Nullable Tensor> read(
            AttentionInputs inputs, AttentionResult forward, Tensor outputGradient, @Nullable Tensor lseGradient) {
        List<@Nullable Tensor> read = new ArrayList<>(inputs.tensors());
        read.addAll(forward.tensors());
        read.add(outputGradient);
        read.add(lseGradient);
        return read;
    }

    /** Computes forward on checked arguments. */
    protected abstract void runForward(AttentionInputs inputs, AttentionResult result);

    /** Computes backward on checked arguments. */
    protected abstract void runBackward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients);
}
