package dev.heed.mechanism;

import dev.heed.AttentionGradients;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * The score-function gradient of hard attention, also called REINFORCE (Williams 1992), with a moving-average baseline
 * {@code b} and an entropy term (Xu et al. 2015, section 4.1). For the reward {@code r} of a choice it estimates the
 * gradients of the loss {@code -lambda_r E[r] - lambda_e H} by
 *
 * <pre>
 * -lambda_r (r - b) d ln p(choice) - lambda_e dH        b &lt;- 0.9 b + 0.1 r
 * </pre>
 *
 * <p>A row that {@linkplain Choice#EXPECTED uses the expected context} draws no key. It contributes the entropy term
 * only, and the gradient of its output comes from {@link Choice#backward(Tensor, Tensor)}.
 *
 * <p>The baseline is an average over earlier choices only, so the estimate is unbiased. An instance is not thread-safe.
 */
public final class ScoreFunctionGradient {
    /** Decay factor of the baseline, applied once per call of {@link #gradients}. */
    public static final double DECAY = 0.9;

    private final double rewardWeight;
    private final double entropyWeight;
    private double baseline;

    /**
     * Creates the estimator with a baseline of 0.
     *
     * @param rewardWeight {@code lambda_r}, above 0
     * @param entropyWeight {@code lambda_e}, 0 for no entropy term
     */
    public ScoreFunctionGradient(double rewardWeight, double entropyWeight) {
        boolean fits = rewardWeight > 0
                && entropyWeight >= 0
                && Double.isFinite(rewardWeight)
                && Double.isFinite(entropyWeight);
        if (!fits) {
            throw new InvalidInputException(
                    "The weights of reward and entropy do not fit",
                    "a reward weight above 0 and an entropy weight of 0 or more",
                    rewardWeight + " and " + entropyWeight,
                    "new ScoreFunctionGradient(1, 0.01)");
        }
        this.rewardWeight = rewardWeight;
        this.entropyWeight = entropyWeight;
    }

    /** {@return the baseline: the moving average of the mean reward per call of {@link #gradients}} */
    public double baseline() {
        return baseline;
    }

    /**
     * {@return the estimated gradients; the gradient of the value is zero} If the loss also depends on the output
     * directly, the caller adds that gradient, see {@link Choice#backward(Tensor, Tensor)}.
     *
     * @param choice the chosen keys
     * @param reward the reward of each row, in a shape that broadcasts to {@code [batch, numHeads, seqLenQ]}
     */
    public AttentionGradients gradients(Choice choice, Tensor reward) {
        Tensor each = reward.expand(choice.logProbability().shape());
        double[] rewards = each.toDoubleArray();
        double[] scoreGradient = new double[rewards.length];
        DType type = choice.logProbability().type();
        boolean entropyFits = Double.isFinite(type.round(entropyWeight));
        double mean = 0;
        for (int n = 0; n < rewards.length; n++) {
            if (!Double.isFinite(rewards[n])) {
                throw new InvalidInputException(
                        "A reward is not a finite number",
                        "finite rewards",
                        rewards[n] + " at " + n,
                        "skip this choice");
            }
            scoreGradient[n] = -rewardWeight * (rewards[n] - baseline);
            if (!entropyFits || !Double.isFinite(type.round(scoreGradient[n]))) {
                throw new InvalidInputException(
                        "The weights of reward and entropy are too large",
                        "weights and weighted rewards that are finite in " + type.label(),
                        rewardWeight + " and " + entropyWeight + ", reward " + rewards[n] + " at " + n,
                        "new ScoreFunctionGradient(1, 0.01)");
            }
            mean += rewards[n] / rewards.length;
        }
        var sum = new GradientSum(choice.inputs());
        choice.addLogProbability(Tensor.of(scoreGradient, each.shape()), sum);
        if (entropyWeight != 0) {
            Tensor minus =
                    Tensor.zeros(choice.logProbability().type(), each.shape()).fill(-entropyWeight);
            Entropy.of(choice.inputs(), choice.engine()).add(minus, sum);
        }
        baseline = DECAY * baseline + (1 - DECAY) * mean;
        return sum.total();
    }
}
