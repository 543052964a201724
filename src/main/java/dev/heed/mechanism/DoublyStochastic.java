package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * The doubly stochastic regulariser {@code lambda sum_j (1 - sum_i a_ij)^2}, summed over batch entries and heads: a
 * penalty for keys whose weights, summed over all queries, differ from 1 (Xu et al. 2015, equation 14).
 *
 * <p>The column sums equal the gradient of a value with one column, for an output gradient of ones. The gradient of a
 * weight, {@code da_ij = -2 lambda (1 - sum_i a_ij)}, does not depend on the query {@code i}, so a value column can
 * hold it. Two forward and two backward passes over a value of {@code groupSize} columns, one per query head of a
 * group, therefore suffice, and no matrix of weights is stored.
 *
 * @param loss the penalty
 * @param columnSums {@code sum_i a_ij}, f64 {@code [batch, numHeads, seqLenKv]}; 0 for keys that are masked for all
 *     queries
 * @param gradients the gradients of the penalty; the gradient of the value is zero
 */
public record DoublyStochastic(double loss, Tensor columnSums, AttentionGradients gradients) {
    /** {@return the penalty of the weights of an attention} */
    public static DoublyStochastic of(AttentionInputs inputs, double lambda) {
        return of(inputs, lambda, AttentionEngine.AUTOMATIC);
    }

    /**
     * {@return the penalty of the weights of an attention, computed by the given engine}
     *
     * @param lambda the weight of the penalty, 0 or more; {@code 2 lambda seqLenQ} must be finite in the type of the value
     * @throws InvalidInputException if the options have a sink or dropout, or request optional outputs other than the LSE
     */
    public static DoublyStochastic of(AttentionInputs inputs, double lambda, AttentionEngine engine) {
        DType type = inputs.value().type();
        double largestSum = inputs.problem().shape().seqLenQ();
        if (!(lambda >= 0) || !Double.isFinite(type.round(2 * lambda * largestSum))) {
            throw new InvalidInputException(
                    "The weight of the penalty does not fit",
                    "lambda >= 0, with 2 lambda seqLenQ finite in " + type.label(),
                    String.valueOf(lambda),
                    "DoublyStochastic.of(inputs, 1)");
        }
        QueryRows.requirePlain("doubly stochastic regulariser", inputs);
        AttentionShape s = inputs.problem().shape();
        long group = s.groupSize();
        // each query head of a group has its own column of the shared value
        Tensor value = Tensor.zeros(inputs.value().type(), s.batch(), s.numKvHeads(), s.seqLenKv(), group);
        Tensor ones = Tensor.zeros(inputs.value().type(), s.batch(), s.numHeads(), s.seqLenQ(), group);
        for (long h = 0; h < s.numHeads(); h++) {
            ones.select(1, h).select(2, h % group).fill(1);
        }
        AttentionInputs summing = AttentionInputs.of(
                inputs.query(), inputs.key(), value, inputs.options().withLse());
        AttentionResult plain = engine.forward(summing);
        Tensor columns = engine.backward(summing, plain, ones, null).value();

        double loss = 0;
        Tensor sums = Tensor.of(
                new double[(int) (s.batch() * s.numHeads() * s.seqLenKv())], s.batch(), s.numHeads(), s.seqLenKv());
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long j = 0; j < s.seqLenKv(); j++) {
                    double sum = columns.get(b, h / group, j, h % group);
                    sums.set(sum, b, h, j);
                    loss += lambda * (1 - sum) * (1 - sum);
                    value.set(-2 * lambda * (1 - sum), b, h / group, j, h % group);
                }
            }
        }
        AttentionResult pulled = engine.forward(summing);
        var total = new GradientSum(inputs);
        total.addWithoutValue(engine.backward(summing, pulled, ones, null));
        return new DoublyStochastic(loss, sums, total.total());
    }
}
