package dev.heed.mechanism;

import dev.heed.AttentionGradients;
import dev.heed.AttentionOptions;
import dev.heed.score.CustomScore;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A temperature, by which the modified scores are divided. The division is carried out on the parameters of the score
 * function, the softcap, the bias and the ALiBi slopes, so that the fused kernels support any combination of them.
 *
 * @param tau the temperature, from 2^-63 to 2^63
 */
record Temperature(double tau) {
    /** Bounds of the temperature: parameters of usual size stay finite in f32 after the division. */
    private static final double LEAST = 0x1p-63;

    private static final double LARGEST = 0x1p63;

    Temperature {
        if (!(tau >= LEAST && tau <= LARGEST)) {
            throw new InvalidInputException(
                    "The temperature is not a positive number that f32 can divide by",
                    "a temperature from " + LEAST + " to " + LARGEST,
                    String.valueOf(tau),
                    "HardAttention.argmax() is the limit at 0");
        }
    }

    /**
     * {@return options whose modified scores are the modified scores of the given options, divided by the temperature}
     */
    AttentionOptions on(AttentionOptions options, long headDim) {
        Double softcap = options.softcap();
        return options.withScore(on(options.score(), headDim))
                .withSoftcap(softcap == null ? null : softcap / tau)
                .withBias(divided(options.bias()))
                .withAlibi(divided(options.alibiSlopes()));
    }

    private @Nullable Tensor divided(@Nullable Tensor tensor) {
        return tensor == null ? null : times(tensor, 1 / tau);
    }

    private ScoreFunction on(ScoreFunction score, long headDim) {
        double cold = 1 / tau;
        return switch (score) {
            case ScoreFunction.ScaledDot ignored -> ScoreFunction.scaledDot(score.scale(headDim) * cold);
            case ScoreFunction.Dot ignored -> ScoreFunction.scaledDot(cold);
            case ScoreFunction.Cosine(double strength, Tensor strengths) ->
                strengths == null
                        ? ScoreFunction.cosine(strength * cold)
                        : ScoreFunction.cosine(times(strengths, cold));
            case ScoreFunction.General(Tensor weight) -> ScoreFunction.general(times(weight, cold));
            case ScoreFunction.Location(Tensor weight) -> ScoreFunction.location(times(weight, cold));
            case ScoreFunction.Additive a ->
                new ScoreFunction.Additive(a.queryWeight(), a.keyWeight(), a.bias(), times(a.vector(), cold));
            case ScoreFunction.Concat(Tensor weight, Tensor vector) ->
                ScoreFunction.concat(weight, times(vector, cold));
            case ScoreFunction.Gaussian(double width, Tensor widths) ->
                widths == null
                        ? ScoreFunction.gaussian(width * Math.sqrt(cold))
                        : ScoreFunction.gaussian(times(widths, Math.sqrt(cold)));
            case ScoreFunction.Custom custom -> on(custom);
        };
    }

    private ScoreFunction on(ScoreFunction.Custom custom) {
        CustomScore.Gradient gradient = custom.gradient();
        CustomScore cold = (query, key) -> custom.score().score(query, key) / tau;
        return gradient == null
                ? ScoreFunction.custom(custom.name(), cold)
                : ScoreFunction.custom(
                        custom.name(), cold, (query, key, up, dq, dk) -> gradient.add(query, key, up / tau, dq, dk));
    }

    /**
     * {@return the gradients with respect to the original options, from the gradients with respect to the options of
     * {@link #on}}
     */
    AttentionGradients back(AttentionGradients cold) {
        Tensor bias = cold.bias();
        return AttentionGradients.into(cold.query(), cold.key(), cold.value())
                .withBias(divided(bias))
                .withSink(cold.sink())
                .withScore(back(cold.score()));
    }

    private @Nullable ScoreFunction back(@Nullable ScoreFunction cold) {
        if (cold == null) {
            return null;
        }
        Map<String, Tensor> parameters = cold.parameters();
        return cold.map(gradient -> times(gradient, factor(cold, parameters, gradient)));
    }

    private double factor(ScoreFunction score, Map<String, Tensor> parameters, Tensor gradient) {
        boolean inside = (score instanceof ScoreFunction.Additive || score instanceof ScoreFunction.Concat)
                && parameters.get("vector") != gradient;
        return inside ? 1 : score instanceof ScoreFunction.Gaussian ? Math.sqrt(1 / tau) : 1 / tau;
    }

    private static Tensor times(Tensor tensor, double factor) {
        double[] numbers = tensor.toDoubleArray();
        for (int n = 0; n < numbers.length; n++) {
            numbers[n] *= factor;
        }
        DType type = tensor.type() == DType.F64 ? DType.F64 : DType.F32;
        return Tensor.of(numbers, tensor.shape()).to(type);
    }
}
