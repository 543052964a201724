package dev.heed.attribution;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.tensor.Tensor;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * A differentiable function from a sequence {@code [inputs, width]} to a sequence {@code [outputs, width']}, with its
 * backward pass.
 */
public interface Differentiable {
    /** {@return the output of the function} */
    Tensor forward(Tensor input);

    /**
     * {@return the gradient of a loss with respect to the input}
     *
     * @param input the input at which the function is differentiated
     * @param outputGradient the gradient of a loss with respect to the output
     */
    Tensor backward(Tensor input, Tensor outputGradient);

    /** {@return a function with the given forward pass and backward pass} */
    static Differentiable of(UnaryOperator<Tensor> forward, BinaryOperator<Tensor> backward) {
        return new Differentiable() {
            @Override
            public Tensor forward(Tensor input) {
                return forward.apply(input);
            }

            @Override
            public Tensor backward(Tensor input, Tensor outputGradient) {
                return backward.apply(input, outputGradient);
            }
        };
    }

    /** {@return self-attention without projections: query, key and value are the input} */
    static Differentiable selfAttention(AttentionOptions options) {
        return selfAttention(options, AttentionEngine.AUTOMATIC);
    }

    /** {@return self-attention without projections, computed by the given engine} */
    static Differentiable selfAttention(AttentionOptions options, AttentionEngine engine) {
        return of(
                input -> {
                    Tensor x = input.unsqueeze(0).unsqueeze(0);
                    AttentionInputs inputs = AttentionInputs.of(x, x, x, options.withLse());
                    return engine.forward(inputs).output().select(0, 0).select(0, 0);
                },
                (input, up) -> {
                    Tensor x = input.unsqueeze(0).unsqueeze(0);
                    AttentionInputs inputs = AttentionInputs.of(x, x, x, options.withLse());
                    AttentionGradients g = engine.backward(
                            inputs,
                            engine.forward(inputs),
                            up.to(input.type()).unsqueeze(0).unsqueeze(0),
                            null);
                    double[] sum = g.query().toDoubleArray();
                    double[] ofKey = g.key().toDoubleArray();
                    double[] ofValue = g.value().toDoubleArray();
                    for (int n = 0; n < sum.length; n++) {
                        sum[n] += ofKey[n] + ofValue[n];
                    }
                    return Tensor.of(sum, input.shape());
                });
    }

    /** {@return the composition {@code next(f(x))}, where {@code f} is this function} */
    default Differentiable then(Differentiable next) {
        return of(
                input -> next.forward(forward(input)),
                (input, up) -> backward(input, next.backward(forward(input), up)));
    }

    /** {@return this function with a residual connection: {@code x + f(x)}} */
    default Differentiable residual() {
        return of(input -> sum(input, forward(input)), (input, up) -> sum(up, backward(input, up)));
    }

    private static Tensor sum(Tensor first, Tensor second) {
        double[] sum = first.toDoubleArray();
        double[] other = second.toDoubleArray();
        for (int n = 0; n < sum.length; n++) {
            sum[n] += other[n];
        }
        return Tensor.of(sum, first.shape()).to(first.type());
    }
}
