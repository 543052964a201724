package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * The Gumbel-softmax, or concrete, relaxation of sampled hard attention: {@code softmax((score + gumbel) / tau)} (Jang
 * et al. 2017; Maddison et al. 2017). As the temperature falls, the weights approach the one-hot rows of
 * {@link HardAttention#sampled} with the same seed. The relaxation is differentiable in the same inputs as soft
 * attention. The noise is stored for one chunk of rows at a time.
 */
public final class GumbelSoftmax {
    private final Temperature temperature;
    private final Gumbel noise;
    private final AttentionEngine engine;

    private GumbelSoftmax(Temperature temperature, Gumbel noise, AttentionEngine engine) {
        this.temperature = temperature;
        this.noise = noise;
        this.engine = InvalidInputException.requirePresent("engine", engine, "AttentionEngine.AUTOMATIC");
    }

    /**
     * Creates a relaxation.
     *
     * @param temperature from 2^-63 to 2^63
     * @param seed the seed of the noise
     * @throws InvalidInputException if the temperature is outside of this range
     */
    public GumbelSoftmax(double temperature, long seed) {
        this(new Temperature(temperature), new Gumbel(seed), AttentionEngine.AUTOMATIC);
    }

    /** {@return this mechanism, computed by the given engine} */
    public GumbelSoftmax on(AttentionEngine engine) {
        return new GumbelSoftmax(temperature, noise, engine);
    }

    /** {@return the output, {@code [batch, numHeads, seqLenQ, valueHeadDim]}} */
    public Tensor forward(AttentionInputs inputs) {
        QueryRows.requirePlain("Gumbel-softmax", inputs);
        AttentionShape s = inputs.problem().shape();
        Tensor output = Tensor.zeros(inputs.query().type(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
        for (QueryRows rows : QueryRows.chunks(inputs)) {
            rows.of(output).copyFrom(engine.forward(noisy(rows)).output());
        }
        return output;
    }

    /**
     * {@return the gradients of a loss with respect to the inputs}
     *
     * @param outputGradient the gradient of the loss with respect to the output of {@link #forward}
     */
    public AttentionGradients backward(AttentionInputs inputs, Tensor outputGradient) {
        QueryRows.requirePlain("Gumbel-softmax", inputs);
        var sum = new GradientSum(inputs);
        for (QueryRows rows : QueryRows.chunks(inputs)) {
            AttentionInputs noisy = noisy(rows);
            AttentionResult result = engine.forward(noisy);
            AttentionGradients cold = engine.backward(noisy, result, rows.of(outputGradient), null);
            sum.add(rows, temperature.back(cold), true);
        }
        return sum.total();
    }

    private AttentionInputs noisy(QueryRows rows) {
        Tensor bias = rows.fullBias();
        noise.addTo(bias, rows.from());
        AttentionOptions options = rows.options().withBias(bias).withLse();
        return rows.with(temperature.on(options, rows.whole().problem().shape().headDim()));
    }
}
