package dev.heed.layer;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.layer.Products.Viewed;
import dev.heed.mask.Mask;
import dev.heed.mechanism.LocalAttention;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/**
 * Local attention for a decoder with a predicted position (local-p) and dot product scores (Luong et al. 2015, section
 * 3.2, equations 9 and 10).
 *
 * @param weight {@code W_p}, {@code [width, hidden]}
 * @param vector {@code v_p}, {@code [hidden]}
 * @param window {@code D}, the maximum distance of an attended memory position from the predicted position
 */
public record LocalAlignment(Tensor weight, Tensor vector, long window) implements Alignment {
    @Override
    public LocalAlignment map(Layer.Change change) {
        return new LocalAlignment(
                change.apply("positionWeight", weight), change.apply("positionVector", vector), window);
    }

    @Override
    public Memory remember(Tape tape, Value memory, Value last, int[] lengths) {
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(ScoreFunction.dot())
                .withMask(Mask.keyLengths(Arrays.stream(lengths).asLongStream().toArray()));
        Value w = tape.parameter(weight);
        Value v = tape.parameter(vector);
        Viewed keys = Viewed.timeMajor(memory);
        var local = new LocalAttention(w.tensor(), v.tensor(), window).on(tape.engine());
        return query -> {
            Viewed q = Viewed.oneRow(query);
            var inputs = AttentionInputs.of(q.tensor(), keys.tensor(), keys.tensor(), options);
            Tensor pooled = local.forward(inputs).output();
            Value context = tape.value(query.size(0), memory.size(2));
            context.tensor().copyFrom(pooled.reshape(context.shape()));
            tape.back(context, () -> {
                LocalAttention.Gradients gradients =
                        local.backward(inputs, context.gradient().reshape(pooled.shape()));
                AttentionGradients attention = gradients.attention();
                q.add(attention.query());
                keys.add(attention.key());
                keys.add(attention.value());
                Strided.add(w.gradientElements(), w.gradient(), gradients.weight());
                Strided.add(v.gradientElements(), v.gradient(), gradients.vector());
            });
            return new Aligned(context, weights(local, inputs));
        };
    }

    /** Computes the weights {@code [batch, sequence]} as the output of the attention with unit vectors as values. */
    private static Tensor weights(LocalAttention local, AttentionInputs inputs) {
        Tensor query = inputs.query();
        long longest = inputs.key().size(2);
        Tensor identity = Tensor.zeros(query.type(), longest, longest);
        for (long j = 0; j < longest; j++) {
            identity.set(1, j, j);
        }
        Tensor values = identity.unsqueeze(0).unsqueeze(0).expand(query.size(0), 1, longest, longest);
        return local.forward(AttentionInputs.of(query, inputs.key(), values, inputs.options()))
                .output()
                .reshape(query.size(0), longest);
    }
}
