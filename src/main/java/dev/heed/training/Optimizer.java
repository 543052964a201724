package dev.heed.training;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.SequencedMap;

/**
 * A rule that updates parameters from their gradients. An optimiser keeps averages by parameter name, so each model
 * needs a separate optimiser.
 */
public sealed interface Optimizer permits Sgd, Adam {
    /** Sets the learning rate of the next updates. */
    void setRate(double rate);

    /**
     * Updates parameters in place.
     *
     * @param parameters parameters by name
     * @param gradients gradients by the same names, in the same shapes
     */
    void update(SequencedMap<String, Tensor> parameters, SequencedMap<String, Tensor> gradients);

    /** {@return the gradient of a parameter, after checking its shape} */
    static FlatElements gradientOf(String name, Tensor parameter, SequencedMap<String, Tensor> gradients) {
        Tensor gradient = gradients.get(name);
        if (gradient == null || !gradient.hasShape(parameter.shape())) {
            throw new InvalidInputException(
                    "The gradient of " + name + " does not fit",
                    Arrays.toString(parameter.shape()),
                    String.valueOf(gradient),
                    "layer.map((name, parameter) -> tape.gradient(parameter)).parameters()");
        }
        return new FlatElements("gradient of " + name, gradient);
    }

    /** {@return the number, after checking that it is in [low, high)} */
    static double requireWithin(String what, double number, double low, double high) {
        if (!(number >= low && number < high)) {
            throw new InvalidInputException(
                    "The " + what + " does not fit",
                    "at least " + low + " and less than " + high,
                    String.valueOf(number),
                    "new Adam(0.001) has the usual constants");
        }
        return number;
    }
}
