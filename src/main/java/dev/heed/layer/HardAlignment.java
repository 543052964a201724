package dev.heed.layer;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.layer.Products.Viewed;
import dev.heed.mask.Mask;
import dev.heed.mechanism.Choice;
import dev.heed.mechanism.HardAttention;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/**
 * Hard attention for a decoder: each step attends to a single position of the memory, the one with the largest dot
 * product with the query (Xu et al. 2015, section 4.1, with argmax instead of sampling). It is trained with the
 * straight-through estimator, which computes the gradients of queries and keys as if the attention were soft (Bengio et
 * al. 2013). The estimator is biased.
 */
public record HardAlignment() implements Alignment {
    @Override
    public HardAlignment map(Layer.Change change) {
        return this;
    }

    @Override
    public Memory remember(Tape tape, Value memory, Value last, int[] lengths) {
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(ScoreFunction.dot())
                .withMask(Mask.keyLengths(Arrays.stream(lengths).asLongStream().toArray()));
        Viewed keys = Viewed.timeMajor(memory);
        HardAttention hard = HardAttention.argmax().on(tape.engine());
        return query -> {
            Viewed q = Viewed.oneRow(query);
            Choice choice = hard.choose(AttentionInputs.of(q.tensor(), keys.tensor(), keys.tensor(), options));
            Tensor pooled = choice.output();
            Value context = tape.value(query.size(0), memory.size(2));
            context.tensor().copyFrom(pooled.reshape(context.shape()));
            tape.back(context, () -> {
                AttentionGradients gradients =
                        choice.straightThrough(context.gradient().reshape(pooled.shape()));
                q.add(gradients.query());
                keys.add(gradients.key());
                keys.add(gradients.value());
            });
            Tensor weights = Tensor.zeros(tape.type(), query.size(0), memory.size(0));
            for (long b = 0; b < query.size(0); b++) {
                weights.set(1, b, (long) choice.keys().get(b, 0, 0));
            }
            return new Aligned(context, weights);
        };
    }
}
