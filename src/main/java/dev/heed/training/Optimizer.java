package dev.heed.training;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.SequencedMap;

/** A rule by which gradients move parameters. It keeps averages by name, so one optimiser serves one model. */
public sealed interface Optimizer permits Sgd, Adam {
    /** Sets the learning rate of the next updates. */
    void setRate(double rate);

    /**
     * Moves parameters where they lie.
     *
     * @param parameters by name
     * @param gradients by the same names, of the same shapes
     */
    void update(SequencedMap<String, Tensor> parameters, SequencedMap<String, Tensor> gradients);

    /** {@return the gradient of a parameter, checked} */
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

    /** {@return a number, refused unless it is in [low, high)} */
    static double requireWithin(String what, double number, double low, double high) {
        if (!(number >= low && number < high)) {
            throw new InvalidInputException(
                    "The " + what + " does not fit",
                    "at least " + low + " and less than " + high,
                    String.valueOf(number),
                    "new Adam(0.001) has the usual numbers");
        }
        return number;
    }
}
