package dev.heed.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Activation;
import dev.heed.RandomTensors;
import dev.heed.backend.reference.CentralDifference;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.layer.FeedForward;
import dev.heed.layer.Initial;
import dev.heed.layer.Linear;
import dev.heed.layer.Value;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

/** Tests of losses, optimisers and the trainer: bit-identical results, and a stop at non-finite values. */
class TrainingTest {
    private static SequencedMap<String, Tensor> one(double... numbers) {
        SequencedMap<String, Tensor> map = new LinkedHashMap<>();
        map.put("p", Tensor.of(numbers, numbers.length));
        return map;
    }

    @Test
    void momentumCarriesOn() {
        var p = one(1, 2);
        var sgd = new Sgd(0.1, 0.5);
        sgd.update(p, one(1, -2));
        assertArrayEquals(new double[] {0.9, 2.2}, p.get("p").toDoubleArray(), 1e-15);
        sgd.update(p, one(1, -2)); // m = 1.5, -3
        assertArrayEquals(new double[] {0.75, 2.5}, p.get("p").toDoubleArray(), 1e-15);
    }

    /**
     * With bias correction of both averages, the first step has the size of the learning rate, regardless of the size
     * of the gradient.
     */
    @Test
    void adamIsCorrectedForItsStart() {
        var p = one(1, 1);
        var adam = new Adam(0.1, 0.9, 0.99, 1e-12);
        adam.update(p, one(1e-3, -50));
        assertArrayEquals(new double[] {0.9, 1.1}, p.get("p").toDoubleArray(), 1e-8);
        adam.update(p, one(0, 0));
        double m = 0.9 * 0.1 * 1e-3 / (1 - 0.81);
        double v = 0.99 * 0.01 * 1e-6 / (1 - 0.9801);
        assertEquals(0.9 - 0.1 * m / Math.sqrt(v), p.get("p").get(0), 1e-8);
    }

    @Test
    void crossEntropyAndItsSlope() {
        Tensor logits = new RandomTensors(1).normal(DType.F64, 4, 3);
        int[] targets = {2, 0, 1, 1};
        boolean[] counts = {true, false, true, true};
        double expected = 0;
        for (int r = 0; r < 4; r++) {
            double sum = 0;
            for (int c = 0; c < 3; c++) {
                sum += Math.exp(logits.get(r, c));
            }
            expected -= counts[r] ? Math.log(Math.exp(logits.get(r, targets[r])) / sum) / 3 : 0;
        }
        Loss loss = Loss.crossEntropy(logits, targets, counts, 3);
        assertEquals(expected, loss.value(), 1e-12);
        CentralDifference.assertGradient(
                "logits",
                logits,
                loss.gradient(),
                () -> Loss.crossEntropy(logits, targets, counts, 3).value());
        assertEquals(
                2000,
                Loss.crossEntropy(Tensor.of(new double[] {1000, -1000}, 1, 2), new int[] {1}, null, 1)
                        .value());
        assertThrows(InvalidInputException.class, () -> Loss.crossEntropy(logits, new int[] {0, 3, 3, 3}, null, 1));
        assertThrows(InvalidInputException.class, () -> Loss.crossEntropy(logits, new int[] {0}, null, 1));
    }

    @Test
    void squaredErrorAndItsSlope() {
        Tensor y = new RandomTensors(1).normal(DType.F64, 4, 3);
        Tensor target = new RandomTensors(2).normal(DType.F64, 4, 3);
        Loss loss = Loss.squaredError(y, target);
        CentralDifference.assertGradient(
                "output", y, loss.gradient(), () -> Loss.squaredError(y, target).value());
    }

    @Test
    void theSameBitsForOneThreadAndTwo() {
        float[] once = train(1, 5, 12);
        assertArrayEquals(once, train(2, 5, 12));
        assertArrayEquals(once, train(2, 5, 12), "a repeated run must give the same bits");
        assertNotEquals(once[0], train(2, 6, 12)[0], "another seed must give other elements");
    }

    @Test
    void theLossFalls() {
        double before = error(1);
        double after = error(60);
        assertTrue(after < before / 4, before + " to " + after);
    }

    private static double error(int steps) {
        var losses = new ArrayList<Double>();
        train(1, 5, steps, losses);
        return losses.getLast();
    }

    private static float[] train(int threads, long seed, int steps) {
        return train(threads, seed, steps, new ArrayList<>());
    }

    private static float[] train(int threads, long seed, int steps, List<Double> losses) {
        var model = FeedForward.create(new Initial(new Random(seed), DType.F32), 6, 20, Activation.TANH);
        var data = new RandomTensors(seed);
        Tensor x = data.normal(DType.F32, 24, 6);
        Tensor y = data.normal(DType.F32, 24, 6);
        try (var backend = new VectorBackend(1);
                var trainer = new Trainer<>(model, new Adam(0.02), 1, backend, 3, threads)) {
            for (int step = 0; step < steps; step++) {
                List<Trainer.Shard<FeedForward>> shards = new ArrayList<>();
                for (int n = 0; n < 3; n++) {
                    Tensor in = x.slice(0, n * 8L, n * 8L + 8);
                    Tensor out = y.slice(0, n * 8L, n * 8L + 8);
                    shards.add((tape, shared) -> {
                        Value value = shared.forward(tape, tape.input(in));
                        Loss loss = Loss.squaredError(value.tensor(), out);
                        tape.backward(value, loss.gradient());
                        return loss.value();
                    });
                }
                losses.add(trainer.step(shards));
            }
        }
        float[] all = new float[0];
        for (Tensor parameter : model.parameters().values()) {
            float[] more = parameter.toFloatArray();
            float[] both = Arrays.copyOf(all, all.length + more.length);
            System.arraycopy(more, 0, both, all.length, more.length);
            all = both;
        }
        return all;
    }

    @Test
    void stopsAtALossThatIsNotFinite() {
        var model = new Linear(Tensor.of(new float[] {1, 2}, 2, 1), null);
        try (var trainer = new Trainer<>(model, new Sgd(0.1), 1e9, new ReferenceBackend(), 1, 1)) {
            step(trainer, 1, 1);
            float[] good = model.weight().toFloatArray();
            var e = assertThrows(NonFiniteException.class, () -> step(trainer, Double.NaN, 1));
            assertEquals(2, e.step());
            assertEquals("loss", e.name());
            assertArrayEquals(good, model.weight().toFloatArray());
        }
    }

    @Test
    void stopsAtAGradientOrAParameterThatIsNotFiniteAndNamesIt() {
        var model = new Linear(Tensor.of(new float[] {1, 2}, 2, 1), Tensor.of(new float[] {3}, 1));
        try (var trainer =
                new Trainer<>(model, new Sgd(1e30), Double.POSITIVE_INFINITY, new ReferenceBackend(), 1, 1)) {
            var gradient = assertThrows(NonFiniteException.class, () -> step(trainer, 1, Double.POSITIVE_INFINITY));
            assertEquals("gradient of weight", gradient.name());
            var e = assertThrows(NonFiniteException.class, () -> step(trainer, 1, 1e30));
            assertEquals("weight", e.name());
            assertEquals(2, e.step());
            assertTrue(String.valueOf(e.getMessage()).contains("HINT"), e::getMessage);
            assertArrayEquals(new float[] {1, 2}, model.weight().toFloatArray(), "the last finite parameters");
            assertArrayEquals(
                    new float[] {3},
                    new float[] {(float) Objects.requireNonNull(model.bias()).get(0)});
        }
    }

    private static void step(Trainer<Linear> trainer, double loss, double gradient) {
        trainer.step(List.of((tape, shared) -> {
            Value y = shared.forward(tape, tape.input(Tensor.of(new float[] {1, 1}, 1, 2)));
            tape.backward(y, Tensor.of(new double[] {gradient}, 1, 1));
            return loss;
        }));
    }

    @Test
    void clipsByTheGlobalNorm() {
        var model = new Linear(Tensor.of(new double[] {0, 0}, 2, 1), null);
        try (var trainer = new Trainer<>(model, new Sgd(1), 0.5, new ReferenceBackend(), 1, 1)) {
            trainer.step(List.of((tape, shared) -> {
                Value y = shared.forward(tape, tape.input(Tensor.of(new double[] {3, 4}, 1, 2)));
                tape.backward(y, Tensor.of(new double[] {1}, 1, 1));
                return 0;
            }));
        }
        assertArrayEquals(new double[] {-0.3, -0.4}, model.weight().toDoubleArray(), 1e-15);
    }

    @Test
    void badInputIsRefused() {
        assertThrows(InvalidInputException.class, () -> new Adam(Double.NaN));
        assertThrows(InvalidInputException.class, () -> new Sgd(0.1, 1));
        assertThrows(InvalidInputException.class, () -> new Sgd(0.1).update(one(1), one(1, 2)));
        assertThrows(InvalidInputException.class, () -> new Sgd(0.1).update(one(1), new LinkedHashMap<>()));
        var model = new Linear(Tensor.of(new float[] {Float.NaN}, 1, 1), null);
        assertThrows(
                NonFiniteException.class,
                () -> new Trainer<>(model, new Sgd(1), 1, new ReferenceBackend(), 1, 1).close());
        var fine = new Linear(Tensor.of(new float[] {1}, 1, 1), null);
        assertThrows(
                InvalidInputException.class,
                () -> new Trainer<>(fine, new Sgd(1), 0, new ReferenceBackend(), 1, 1).close());
        try (var trainer = new Trainer<>(fine, new Sgd(1), 1, new ReferenceBackend(), 1, 1)) {
            assertThrows(InvalidInputException.class, () -> trainer.step(List.of()));
        }
    }
}
