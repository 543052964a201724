package dev.heed.training;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A loss and its gradient; the gradient is passed to {@code tape.backward(value, gradient)}.
 *
 * @param value the loss
 * @param gradient gradient with respect to the tensor that the loss was computed from, of the same shape and type
 */
public record Loss(double value, Tensor gradient) {
    /**
     * {@return the cross-entropy {@code -sum over rows of log softmax(logits)[target]}, divided by {@code divisor}} The
     * gradient is {@code (softmax(logits) - onehot(target)) / divisor}, and 0 in excluded rows.
     *
     * @param logits {@code [rows, classes]}
     * @param targets one class index per row
     * @param counts whether each row is included, or null to include all rows
     * @param divisor divisor of the sum: the number of included rows over all shards of a batch
     */
    public static Loss crossEntropy(Tensor logits, int[] targets, boolean @Nullable [] counts, double divisor) {
        int rows = (int) logits.size(0);
        int classes = (int) logits.size(-1);
        if (logits.rank() != 2 || targets.length != rows || (counts != null && counts.length != rows)) {
            throw new InvalidInputException(
                    "The targets do not fit the logits",
                    "logits [rows, classes] and one target for each row",
                    logits + " and " + targets.length + " targets",
                    "reshape(rows, classes)");
        }
        Optimizer.requireWithin("divisor", divisor, Float.MIN_NORMAL, Double.POSITIVE_INFINITY);
        double[] x = logits.toDoubleArray();
        double[] gradient = new double[x.length];
        double loss = 0;
        for (int r = 0; r < rows; r++) {
            if (counts != null && !counts[r]) {
                continue;
            }
            if (targets[r] < 0 || targets[r] >= classes) {
                throw new InvalidInputException(
                        "There is no such class",
                        "0 to " + (classes - 1),
                        targets[r] + " in row " + r,
                        "check the vocabulary");
            }
            int from = r * classes;
            double max = Arrays.stream(x, from, from + classes).max().orElseThrow();
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                sum += Math.exp(x[from + c] - max);
            }
            double lse = max + Math.log(sum);
            for (int c = 0; c < classes; c++) {
                gradient[from + c] = (Math.exp(x[from + c] - lse) - (c == targets[r] ? 1 : 0)) / divisor;
            }
            loss += (lse - x[from + targets[r]]) / divisor;
        }
        return new Loss(loss, Tensor.of(gradient, logits.shape()).to(logits.type()));
    }

    /** {@return the mean squared error, {@code mean((output - target)^2)}, with its gradient} */
    public static Loss squaredError(Tensor output, Tensor target) {
        if (!output.hasShape(target.shape())) {
            throw new InvalidInputException(
                    "The target does not fit the output",
                    Arrays.toString(output.shape()),
                    target.toString(),
                    "the target must have the shape of the output");
        }
        double[] y = output.toDoubleArray();
        double[] wanted = target.toDoubleArray();
        double[] gradient = new double[y.length];
        double loss = 0;
        for (int i = 0; i < y.length; i++) {
            double apart = y[i] - wanted[i];
            loss += apart * apart / y.length;
            gradient[i] = 2 * apart / y.length;
        }
        return new Loss(loss, Tensor.of(gradient, output.shape()).to(output.type()));
    }
}
