package dev.heed.layer;

import dev.heed.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A record of parameter tensors that computes an output from {@linkplain Value values}. Gradients and moving averages are
 * records of the same type, made by {@code map}: {@code layer.map((name, parameter) -> tape.gradient(parameter))}.
 *
 * @param <L> the type of the record itself
 */
public interface Layer<L extends Layer<L>> {
    /** A function that {@link #map} applies to each parameter. */
    @FunctionalInterface
    interface Change {
        /** {@return the replacement for a parameter} */
        Tensor apply(String name, Tensor parameter);

        /** {@return this change for a nested layer, with parameter names that start with the prefix and a dot} */
        default Change in(String prefix) {
            return (name, parameter) -> apply(prefix + "." + name, parameter);
        }
    }

    /** {@return this layer with every parameter replaced by the result of {@code change}, called in a fixed order} */
    L map(Change change);

    /** {@return the parameters by name, in a fixed order} */
    default SequencedMap<String, Tensor> parameters() {
        SequencedMap<String, Tensor> named = new LinkedHashMap<>();
        map((name, parameter) -> {
            named.put(name, parameter);
            return parameter;
        });
        return named;
    }

    /** {@return this layer with copies of its parameters} */
    default L copy() {
        return map((name, parameter) -> parameter.copy());
    }

    /** {@return the total number of elements of the parameters} */
    default long parameterCount() {
        return parameters().values().stream().mapToLong(Tensor::elementCount).sum();
    }
}
