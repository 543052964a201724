package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/**
 * The result of {@link HardAttention}: one key per query, with its value, its log-probability and the backward passes
 * for training. The log-probability of a key is the LSE over this key only minus the LSE over all keys, so its gradient
 * needs two backward passes with LSE gradients.
 */
public final class Choice {
    /** The entry of {@link #keys()} for a row whose output is the expected context: the output of soft attention. */
    public static final long EXPECTED = -2;

    private final AttentionEngine engine;
    private final AttentionInputs soft;
    private final AttentionResult all;
    private final AttentionInputs hard;
    private final AttentionResult chosen;
    private final Tensor keys;
    private final Tensor output;
    private final boolean hasExpected;
    private final Tensor logProbability;

    Choice(
            AttentionEngine engine,
            AttentionInputs soft,
            AttentionResult all,
            AttentionInputs hard,
            AttentionResult chosen,
            Tensor keys) {
        this.engine = engine;
        this.soft = soft;
        this.all = all;
        this.hard = hard;
        this.chosen = chosen;
        this.keys = keys;
        this.hasExpected = Arrays.stream(keys.toDoubleArray()).anyMatch(key -> key == EXPECTED);
        this.output = hasExpected ? chosen.output().copy() : chosen.output();
        if (hasExpected) {
            copyExpected(all.output(), output);
        }
        RowStatistics one = RowStatistics.of(chosen);
        RowStatistics every = RowStatistics.of(all);
        this.logProbability = Tensor.zeros(one.sums().type(), one.sums().shape());
        for (long b = 0; b < keys.size(0); b++) {
            for (long h = 0; h < keys.size(1); h++) {
                for (long i = 0; i < keys.size(2); i++) {
                    if (keys.get(b, h, i) >= 0) {
                        logProbability.set(Math.min(0, one.lseMinus(every, b, h, i)), b, h, i);
                    }
                }
            }
        }
    }

    /**
     * {@return the values of the chosen keys, or the expected contexts,
     * {@code [batch, numHeads, seqLenQ, valueHeadDim]}; 0 for a row without a chosen key}
     */
    public Tensor output() {
        return output;
    }

    /**
     * {@return the chosen keys, i64 {@code [batch, numHeads, seqLenQ]}; -1 for a row without a chosen key, such as a
     * fully masked row; {@link #EXPECTED} for a row with the expected context}
     */
    public Tensor keys() {
        return keys;
    }

    /**
     * {@return the logarithm of the probability of each chosen key, {@code [batch, numHeads, seqLenQ]}; 0 for a row
     * without a chosen key}
     */
    public Tensor logProbability() {
        return logProbability;
    }

    /** {@return the inputs of the soft attention over all keys} */
    AttentionInputs inputs() {
        return soft;
    }

    AttentionEngine engine() {
        return engine;
    }

    /**
     * {@return the gradients of a loss that depends on the log-probabilities only; the gradient of the value is zero}
     *
     * @param gradient the gradient of the loss with respect to {@link #logProbability}
     */
    public AttentionGradients backward(Tensor gradient) {
        var sum = new GradientSum(soft);
        addLogProbability(gradient, sum);
        return sum.total();
    }

    /**
     * {@return the gradients of a loss that depends on the output and the log-probabilities} In a row with a chosen key,
     * queries and keys get gradients from the log-probability only, because the choice of a key is piecewise constant. A
     * row with the expected context gets the gradients of soft attention.
     *
     * @param outputGradient the gradient with respect to {@link #output}
     * @param gradient the gradient with respect to {@link #logProbability}
     */
    public AttentionGradients backward(Tensor outputGradient, Tensor gradient) {
        var sum = new GradientSum(soft);
        addLogProbability(gradient, sum);
        addValues(outputGradient, sum);
        if (hasExpected) {
            sum.add(expected(outputGradient));
        }
        return sum.total();
    }

    /**
     * {@return the gradients of a loss by the straight-through estimator (Bengio et al. 2013), which is biased} Query
     * and key get the gradients of soft attention. The value gets the gradient of hard attention, but the gradient of
     * soft attention from rows with the expected context.
     *
     * @param outputGradient the gradient with respect to {@link #output}
     */
    public AttentionGradients straightThrough(Tensor outputGradient) {
        requireLike(outputGradient, chosen.output());
        var sum = new GradientSum(soft);
        sum.addWithoutValue(engine.backward(soft, all, outputGradient, null));
        addValues(outputGradient, sum);
        if (hasExpected) {
            GradientSum.add(sum.value(), expected(outputGradient).value());
        }
        return sum.total();
    }

    void addLogProbability(Tensor gradient, GradientSum sum) {
        if (!gradient.type().isFloating() || !gradient.hasShape(logProbability.shape())) {
            throw misfit(logProbability, gradient);
        }
        double[] up = gradient.toDoubleArray();
        double[] down = new double[up.length];
        double[] taken = keys.toDoubleArray();
        for (int n = 0; n < up.length; n++) {
            up[n] = taken[n] < 0 ? 0 : up[n]; // the log-probability of a row without a chosen key is the constant 0
            down[n] = -up[n];
        }
        DType type = logProbability.type();
        Tensor nothing = Tensor.zeros(chosen.output().type(), chosen.output().shape());
        sum.addWithoutValue(engine.backward(
                hard, chosen, nothing, Tensor.of(up, gradient.shape()).to(type)));
        sum.addWithoutValue(engine.backward(
                soft, all, nothing, Tensor.of(down, gradient.shape()).to(type)));
    }

    /** Adds the output gradient of each query to the gradient of the value of its chosen key. */
    private void addValues(Tensor outputGradient, GradientSum sum) {
        requireLike(outputGradient, chosen.output());
        AttentionShape s = soft.problem().shape();
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < s.seqLenQ(); i++) {
                    long key = (long) keys.get(b, h, i);
                    for (long d = 0; key >= 0 && d < s.valueHeadDim(); d++) {
                        long kvHead = h / s.groupSize();
                        double there = sum.value().get(b, kvHead, key, d);
                        sum.value().set(there + outputGradient.get(b, h, i, d), b, kvHead, key, d);
                    }
                }
            }
        }
    }

    /** Returns the gradients of soft attention for the rows with the expected context. */
    private AttentionGradients expected(Tensor outputGradient) {
        Tensor own = Tensor.zeros(outputGradient.type(), outputGradient.shape());
        copyExpected(outputGradient, own);
        return engine.backward(soft, all, own, null);
    }

    private void copyExpected(Tensor from, Tensor to) {
        for (long b = 0; b < keys.size(0); b++) {
            for (long h = 0; h < keys.size(1); h++) {
                for (long i = 0; i < keys.size(2); i++) {
                    if (keys.get(b, h, i) == EXPECTED) {
                        to.select(0, b)
                                .select(0, h)
                                .select(0, i)
                                .copyFrom(from.select(0, b).select(0, h).select(0, i));
                    }
                }
            }
        }
    }

    private static void requireLike(Tensor gradient, Tensor tensor) {
        if (gradient.type() != tensor.type() || !gradient.hasShape(tensor.shape())) {
            throw misfit(tensor, gradient);
        }
    }

    private static InvalidInputException misfit(Tensor expected, Tensor got) {
        return new InvalidInputException(
                "The gradient does not fit the choice",
                expected.toString(),
                got.toString(),
                "the gradient must have the shape of choice.logProbability(), or of choice.output()");
    }
}
