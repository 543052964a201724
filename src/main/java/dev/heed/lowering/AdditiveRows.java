package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rewriting of additive scores of a query s and a key h: {@code v.tanh(s W + h U + b) = v.tanh(q + k)} with
 * {@code q = s W + b} and {@code k = h U}. For concat scores, W and U are the top and bottom rows of one matrix.
 */
final class AdditiveRows extends Rewriting {
    private final PerHeadProjection queries;
    private final PerHeadProjection keys;

    /**
     * The matrix of a concat score, cut into two: the first headDim rows multiply queries, the other rows multiply keys.
     */
    private record Halves(Tensor top, Tensor bottom) {}

    /** The parameters of an additive or a concat score. */
    private record Parameters(
            Tensor queryWeight, Tensor keyWeight, @Nullable Tensor bias, Tensor vector) {
        static Parameters of(ScoreFunction score, long headDim) {
            return switch (score) {
                case ScoreFunction.Additive(Tensor w, Tensor u, Tensor b, Tensor v) ->
                    new Parameters(Objects.requireNonNull(w), Objects.requireNonNull(u), b, v);
                case ScoreFunction.Concat(Tensor w, Tensor v) -> {
                    Halves halves = w.prepared(Halves.class, () -> halves(w, headDim));
                    yield new Parameters(halves.top(), halves.bottom(), null, v);
                }
                default -> throw new IllegalStateException(score.pattern() + " is not an additive or concat score");
            };
        }

        private static Halves halves(Tensor weight, long headDim) {
            int axis = weight.rank() - 2;
            Tensor top = weight.slice(axis, 0, headDim);
            Tensor bottom = weight.slice(axis, headDim, weight.size(axis));
            return weight.isConstant() ? new Halves(top.asConstant(), bottom.asConstant()) : new Halves(top, bottom);
        }
    }

    AdditiveRows(AttentionProblem p, Function<LinearProblem, LinearPlan> linear) {
        AttentionShape s = p.shape();
        boolean perHead = p.score().perHead();
        queries = new PerHeadProjection(s.batch(), s.numHeads(), s.numHeads(), s.seqLenQ(), perHead, linear);
        long keyHeads = perHead ? s.numHeads() : s.numKvHeads();
        keys = new PerHeadProjection(s.batch(), s.numKvHeads(), keyHeads, s.seqLenKv(), perHead, linear);
    }

    private static Parameters parameters(AttentionInputs inputs) {
        return Parameters.of(inputs.options().score(), inputs.problem().shape().headDim());
    }

    @Override
    Rewritten rewrite(AttentionInputs inputs) {
        Parameters p = parameters(inputs);
        DType type = inputs.query().type().accumulator();
        return new Rewritten(
                queries.forward(inputs.query(), p.queryWeight(), p.bias()),
                keys.forward(inputs.key(), p.keyWeight(), null),
                ScoreFunction.additive(as(type, p.vector())));
    }

    @Override
    Tensor queryGradient(AttentionInputs inputs, AttentionGradients gradients) {
        return queries.place(
                inputs.query().type().accumulator(), parameters(inputs).vector().size(-1));
    }

    @Override
    Tensor keyGradient(AttentionInputs inputs, AttentionGradients gradients) {
        return keys.place(
                inputs.key().type().accumulator(), parameters(inputs).vector().size(-1));
    }

    @Override
    void backward(AttentionInputs inputs, AttentionGradients inner, AttentionGradients gradients) {
        Parameters p = parameters(inputs);
        ScoreFunction score = gradients.score();
        Parameters places = score == null
                ? null
                : Parameters.of(score, inputs.problem().shape().headDim());
        queries.backward(
                inputs.query(),
                p.queryWeight(),
                inner.query(),
                gradients.query(),
                places == null ? null : places.queryWeight(),
                places == null ? null : places.bias());
        keys.backward(
                inputs.key(),
                p.keyWeight(),
                inner.key(),
                gradients.key(),
                places == null ? null : places.keyWeight(),
                null);
        if (places != null && inner.score() instanceof ScoreFunction.Additive dPlain) {
            places.vector().copyFrom(dPlain.vector());
        }
    }

    @Override
    void close() {
        queries.close();
        keys.close();
    }
}
