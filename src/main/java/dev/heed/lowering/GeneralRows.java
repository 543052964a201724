package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.function.Function;

/**
 * The rewriting of general scores: {@code s' W h = (s W).h} for a query s and a key h. W projects queries from headDim to
 * keyHeadDim.
 */
final class GeneralRows extends Rewriting {
    private final PerHeadProjection queries;

    GeneralRows(AttentionProblem p, Function<LinearProblem, LinearPlan> linear) {
        AttentionShape s = p.shape();
        queries = new PerHeadProjection(
                s.batch(), s.numHeads(), s.numHeads(), s.seqLenQ(), p.score().perHead(), linear);
    }

    private static Tensor weight(AttentionInputs inputs) {
        return ((ScoreFunction.General) inputs.options().score()).weight();
    }

    @Override
    Rewritten rewrite(AttentionInputs inputs) {
        return new Rewritten(
                queries.forward(inputs.query(), weight(inputs), null),
                as(inputs.key().type().accumulator(), inputs.key()),
                ScoreFunction.dot());
    }

    @Override
    Tensor queryGradient(AttentionInputs inputs, AttentionGradients gradients) {
        return queries.place(inputs.query().type().accumulator(), weight(inputs).size(-1));
    }

    @Override
    Tensor keyGradient(AttentionInputs inputs, AttentionGradients gradients) {
        boolean direct = gradients.key().type() == inputs.key().type().accumulator();
        return direct ? gradients.key() : zeros(gradients.key());
    }

    @Override
    void backward(AttentionInputs inputs, AttentionGradients inner, AttentionGradients gradients) {
        Tensor dWeight = gradients.score() instanceof ScoreFunction.General places ? places.weight() : null;
        queries.backward(inputs.query(), weight(inputs), inner.query(), gradients.query(), dWeight, null);
        if (inner.key() != gradients.key()) {
            gradients.key().copyFrom(inner.key());
        }
    }

    @Override
    void close() {
        queries.close();
    }
}
