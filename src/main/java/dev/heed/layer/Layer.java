package dev.heed.layer;

import dev.heed.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A record of tensors, the parameters, that computes something from {@linkplain Value values}. Gradients and moving averages
 * are records of the same kind: {@code layer.map((name, parameter) -> tape.gradient(parameter))}.
 *
 * @param <L> the record itself
 */
public interface Layer<L extends Layer<L>> {
    /** What {@link #map} does to one parameter. */
    @FunctionalInterface
    interface Change {
        /** {@return what stands in place of a parameter} */
        Tensor apply(String name, Tensor parameter);

        /** {@return this change for a layer inside a layer, whose names begin with a prefix and a dot} */
        default Change in(String prefix) {
            return (name, parameter) -> apply(prefix + "." + name, parameter);
        }
    }

    /** {@return this layer with every parameter replaced, asked in a fixed order} */
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

    /** {@return a layer of the same kind with copies of the parameters} */
    default L copy() {
        return map((name, parameter) -> parameter.copy());
    }

    /** {@return how many numbers the parameters hold} */
    default long parameterCount() {
        return parameters().values().stream().mapToLong(Tensor::elementCount).sum();
    }
}
