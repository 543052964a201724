package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A plan for attention with a score function that is computed by rewriting rows. It rewrites the query and key rows, runs a
 * backend's plan on them (the inner attention), and computes the gradients of the original rows from the gradients of the
 * rewritten rows. Masks, bias and optional outputs pass through unchanged. For f16 and bf16, the rows and the inner attention
 * are computed in f32, and outputs are rounded once.
 */
public final class LoweredAttention extends AttentionPlan {
    private final AttentionPlan inner;
    private final Rewriting rewriting;

    /**
     * Creates the plan of a problem whose score function {@linkplain LoweredProblem#rewrites is rewritten}.
     *
     * @param problem the problem with the original rows
     * @param attention creates the backend's plan for the inner attention
     * @param linear creates the backend's plans for the linear layers that project rows
     */
    public LoweredAttention(
            AttentionProblem problem,
            Function<AttentionProblem, AttentionPlan> attention,
            Function<LinearProblem, LinearPlan> linear) {
        super(problem);
        this.inner = attention.apply(LoweredProblem.of(problem).inner());
        this.rewriting = switch (problem.score().kind()) {
            case COSINE -> new CosineRows();
            case GENERAL -> new GeneralRows(problem, linear);
            case LOCATION -> new LocationRows();
            case ADDITIVE, CONCAT -> new AdditiveRows(problem, linear);
            default -> throw new IllegalArgumentException(problem.score() + " is not rewritten");
        };
    }

    @Override
    public String describe() {
        return inner.describe() + ", rows rewritten for " + problem().score();
    }

    @Override
    public void close() {
        super.close();
        inner.close();
        rewriting.close();
    }

    @Override
    protected void runForward(AttentionInputs inputs, AttentionResult result) {
        Tensor output = result.output();
        Tensor typed = output.type() == type() ? output : Tensor.zeros(type(), output.shape());
        inner.forward(rewritten(inputs), result.withOutput(typed));
        if (typed != output) {
            output.copyFrom(typed);
        }
    }

    private DType type() {
        return inner.problem().type();
    }

    private AttentionInputs rewritten(AttentionInputs inputs) {
        Rewriting.Rewritten rows = rewriting.rewrite(inputs);
        Tensor value = Rewriting.as(type(), valueHeads(inputs.value()));
        return AttentionInputs.of(
                rows.query(), rows.key(), value, inputs.options().withScore(rows.score()));
    }

    /**
     * {@return the values of the inner attention} If each query head has its own rewritten keys, it also needs its own
     * values: copies of the values of its key/value head.
     */
    private Tensor valueHeads(Tensor value) {
        long group = group();
        if (group == 1) {
            return value;
        }
        Tensor each =
                Tensor.zeros(value.type(), inner.problem().shape().batch(), heads(), value.size(2), value.size(3));
        for (long h = 0; h < heads(); h++) {
            each.select(1, h).copyFrom(value.select(1, h / group));
        }
        return each;
    }

    private long heads() {
        return inner.problem().shape().numKvHeads();
    }

    /** {@return the number of key/value heads of the inner attention per key/value head of this attention} */
    private long group() {
        return heads() / problem().shape().numKvHeads();
    }

    @Override
    protected void runBackward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        AttentionInputs rows = rewritten(inputs);
        ScoreFunction left = rows.options().score();
        boolean straight = group() == 1 && gradients.value().type() == type();
        AttentionGradients dRows = AttentionGradients.into(
                        rewriting.queryGradient(inputs, gradients),
                        rewriting.keyGradient(inputs, gradients),
                        straight
                                ? gradients.value()
                                : Tensor.zeros(type(), rows.value().shape()))
                .withBias(gradients.bias())
                .withSink(gradients.sink())
                .withScore(
                        gradients.score() == null || left.parameters().isEmpty() ? null : left.map(Rewriting::zeros));
        inner.backward(
                rows,
                forward.withOutput(Rewriting.as(type(), forward.output())),
                Rewriting.as(type(), outputGradient),
                lseGradient,
                dRows);
        if (!straight) {
            sumGroups(dRows.value(), gradients.value());
        }
        rewriting.backward(inputs, dRows, gradients);
    }

    private void sumGroups(Tensor each, Tensor shared) {
        long group = group();
        if (group == 1) {
            shared.copyFrom(each);
            return;
        }
        for (long h = 0; h < shared.size(1); h++) {
            double[] sums = new double[Math.toIntExact(shared.size(0) * shared.size(2) * shared.size(3))];
            for (long g = h * group; g < (h + 1) * group; g++) {
                double[] more = each.select(1, g).toDoubleArray();
                for (int n = 0; n < sums.length; n++) {
                    sums[n] += more[n];
                }
            }
            Tensor to = shared.select(1, h);
            to.copyFrom(Tensor.of(sums, to.shape()));
        }
    }
}
