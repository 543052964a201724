package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/**
 * The backward pass from the modified scores to query, key, bias and the parameters of the score function, computed
 * with fused backward passes only. For a loss with gradient {@code g} with respect to the scores {@code S}, the bias is
 * increased by {@code ln g - S} where {@code g} is positive, and set to minus infinity where it is not. The scores with
 * this bias are {@code ln g}, and their softmax is {@code g / Z}, where {@code Z} is the row sum of the positive
 * {@code g}. If {@code Z} is passed as the gradient of the LSE, the gradient of the scores is {@code g / Z} times
 * {@code Z}, which is {@code g}. A second pass covers the negative elements, with {@code -g} in place of {@code g} and
 * {@code -Z} as the gradient of the LSE. A normalisation that has no kernel, such as monotonic attention, thus has
 * gradients on every backend, for every score function, mask and softcap.
 */
final class ScorePullback {
    private final AttentionEngine engine;

    ScorePullback(AttentionEngine engine) {
        this.engine = engine;
    }

    /**
     * Adds the gradients of query, key, bias and the parameters of the score function to a sum.
     *
     * @param rows rows of inputs {@linkplain QueryRows#withoutValues without values}; the values are unused
     * @param scores the modified scores of the rows, {@code [batch, numHeads, rows, seqLenKv]}
     * @param gradient the gradient of the loss with respect to the scores, of the same shape; used for attended keys
     *     only
     * @param sum the sum to add to
     */
    void add(QueryRows rows, Tensor scores, Tensor gradient, GradientSum sum) {
        for (int sign : new int[] {1, -1}) {
            addOneSign(rows, scores, gradient, sign, sum);
        }
    }

    private void addOneSign(QueryRows rows, Tensor scores, Tensor gradient, int sign, GradientSum sum) {
        AttentionShape s = rows.whole().problem().shape();
        Tensor bias = rows.fullBias();
        DType type = bias.type();
        Tensor lseGradient = Tensor.zeros(type, s.batch(), s.numHeads(), rows.count());
        boolean any = false;
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < rows.count(); i++) {
                    double z = 0;
                    for (long j = 0; j < s.seqLenKv(); j++) {
                        double score = scores.get(b, h, i, j);
                        double g = sign * gradient.get(b, h, i, j);
                        boolean carried = score != Double.NEGATIVE_INFINITY && (g > 0 || Double.isNaN(g));
                        double there = carried ? bias.get(b, h, i, j) + Math.log(g) - score : Double.NEGATIVE_INFINITY;
                        bias.set(there, b, h, i, j);
                        z += carried ? g : 0;
                    }
                    lseGradient.set(sign * z, b, h, i);
                    any |= z != 0;
                }
            }
        }
        if (!any) {
            return;
        }
        AttentionInputs inputs = rows.with(rows.options().withBias(bias).withLse());
        AttentionResult forward = engine.forward(inputs);
        Tensor nothing = Tensor.zeros(forward.output().type(), forward.output().shape());
        AttentionGradients chunk = engine.backward(inputs, forward, nothing, lseGradient);
        sum.add(rows, chunk, false);
    }
}
