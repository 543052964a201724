package dev.heed.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.RandomTensors;
import dev.heed.backend.reference.CentralDifference;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;

/**
 * Compares the gradients of a layer in double with numerical derivatives of its forward pass, and the f32 gradients of
 * the vector backend with the gradients in double.
 */
final class GradientCheck {
    /** A forward pass of a layer on the given input values. */
    interface Pass<L> {
        Value run(Tape tape, L layer, List<Value> inputs);
    }

    private GradientCheck() {}

    static Initial initial(long seed, DType type) {
        return new Initial(new Random(seed), type);
    }

    static <L extends Layer<L>> void check(L layer, List<Tensor> inputs, Pass<L> pass) {
        try (var reference = new Tape(new ReferenceBackend(), DType.F64);
                var vector = new Tape(new VectorBackend(2), DType.F32)) {
            SequencedMap<String, Tensor> exact = gradients(reference, layer, inputs, pass);
            Tensor weights = upstream(reference, layer, inputs, pass);
            SequencedMap<String, Tensor> moved = new LinkedHashMap<>(layer.parameters());
            for (int n = 0; n < inputs.size(); n++) {
                moved.put("input " + n, inputs.get(n));
            }
            assertEquals(moved.keySet(), exact.keySet());
            moved.forEach((name, tensor) -> {
                // a key bias adds the same term to all scores of a row, which does not change the softmax
                assertTrue(
                        name.endsWith("keyBias") || RandomTensors.largest(exact.get(name)) > 1e-6,
                        name + " has no gradient");
                CentralDifference.assertGradient(name, tensor, exact.get(name), () -> {
                    reference.clear();
                    return CentralDifference.weighed(
                            pass.run(reference, layer, values(reference, inputs))
                                    .tensor(),
                            weights);
                });
            });
            checkNarrow(vector, layer, inputs, pass, exact);
        }
    }

    /** Compares the f32 outputs and gradients of a backend with the reference backend in double. */
    static <L extends Layer<L>> void checkOn(AttentionBackend backend, L layer, List<Tensor> inputs, Pass<L> pass) {
        try (var reference = new Tape(new ReferenceBackend(), DType.F64);
                var tape = new Tape(backend, DType.F32)) {
            checkNarrow(tape, layer, inputs, pass, gradients(reference, layer, inputs, pass));
            reference.clear();
            Tensor expected =
                    pass.run(reference, layer, values(reference, inputs)).tensor();
            tape.clear();
            L narrow = narrow(layer);
            Tensor actual = pass.run(tape, narrow, values(tape, inputs)).tensor();
            assertNear("output", expected, actual);
        }
    }

    private static <L extends Layer<L>> void checkNarrow(
            Tape tape, L layer, List<Tensor> inputs, Pass<L> pass, SequencedMap<String, Tensor> exact) {
        SequencedMap<String, Tensor> narrow = gradients(tape, narrow(layer), inputs, pass);
        assertEquals(exact.keySet(), narrow.keySet());
        narrow.forEach((name, gradient) -> assertNear(name, exact.get(name), gradient));
    }

    private static <L extends Layer<L>> L narrow(L layer) {
        return layer.map((name, parameter) -> parameter.to(DType.F32));
    }

    private static void assertNear(String name, Tensor exact, Tensor narrow) {
        double[] expected = exact.toDoubleArray();
        double limit = 2e-5 * Math.max(1, RandomTensors.largest(exact));
        assertArrayEquals(expected, narrow.toDoubleArray(), limit, name + " in f32");
    }

    private static List<Value> values(Tape tape, List<Tensor> inputs) {
        List<Value> values = new ArrayList<>();
        inputs.forEach(input -> values.add(tape.input(input)));
        return values;
    }

    private static <L> Tensor upstream(Tape tape, L layer, List<Tensor> inputs, Pass<L> pass) {
        tape.clear();
        return new RandomTensors(77)
                .normal(DType.F64, pass.run(tape, layer, values(tape, inputs)).shape());
    }

    static <L extends Layer<L>> SequencedMap<String, Tensor> gradients(
            Tape tape, L layer, List<Tensor> inputs, Pass<L> pass) {
        Tensor weights = upstream(tape, layer, inputs, pass);
        tape.clear();
        List<Value> values = values(tape, inputs);
        tape.backward(pass.run(tape, layer, values), weights);
        SequencedMap<String, Tensor> gradients = new LinkedHashMap<>(
                layer.map((name, parameter) -> tape.gradient(parameter).copy()).parameters());
        for (int n = 0; n < inputs.size(); n++) {
            gradients.put("input " + n, values.get(n).gradient().copy());
        }
        return gradients;
    }
}
