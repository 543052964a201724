package dev.heed.training;

import dev.heed.AttentionBackend;
import dev.heed.layer.Layer;
import dev.heed.layer.Tape;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Trains a model by batches that are cut into shards. A shard has a tape of its own, and the gradients of the shards are added
 * in their order, so the bits depend on the shards and not on how many threads compute them.
 *
 * <p>A loss, gradient or parameter that is not finite stops the training, and the model keeps the last good parameters.
 *
 * @param <L> the model
 */
public final class Trainer<L extends Layer<L>> implements AutoCloseable {
    /**
     * One shard of a batch.
     *
     * @param <L> the model
     */
    @FunctionalInterface
    public interface Shard<L> {
        /** {@return the shard's part of the loss, after it was carried back on the tape} */
        double run(Tape tape, L model);
    }

    private final L model;
    private final Optimizer optimizer;
    private final double largestNorm;
    private final SequencedMap<String, Tensor> parameters;
    private final SequencedMap<String, Tensor> sums;
    private final SequencedMap<String, Tensor> good;
    private final List<Tape> tapes = new ArrayList<>();
    private final ExecutorService executor;
    private long steps;

    /**
     * Creates a trainer.
     *
     * @param model what is trained, where its parameters lie
     * @param optimizer the rule
     * @param largestNorm gradients of a larger global norm are scaled down to it; infinity for never
     * @param backend computes the shards; with one thread of its own if the shards are to run beside each other
     * @param shards how many shards a batch has at most
     * @param threads how many shards run at once
     */
    public Trainer(
            L model, Optimizer optimizer, double largestNorm, AttentionBackend backend, int shards, int threads) {
        if (!(largestNorm > 0) || shards < 1 || threads < 1) {
            throw new InvalidInputException(
                    "The trainer's numbers do not fit",
                    "a norm above 0, 1 or more shards and threads",
                    "norm " + largestNorm + ", " + shards + " shards, " + threads + " threads",
                    "new Trainer<>(model, new Adam(0.001), 1, backend, 2, 2)");
        }
        this.model = model;
        this.optimizer = optimizer;
        this.largestNorm = largestNorm;
        this.parameters = model.parameters();
        if (parameters.isEmpty()) {
            throw new InvalidInputException(
                    "There is nothing to train", "parameters", "none", "a layer's map asks for each parameter");
        }
        this.sums = new LinkedHashMap<>();
        this.good = new LinkedHashMap<>();
        parameters.forEach((name, parameter) -> {
            requireFinite(name, new FlatElements(name, parameter));
            sums.put(name, Tensor.zeros(parameter.type(), parameter.shape()));
            good.put(name, parameter.copy());
        });
        DType type = parameters.firstEntry().getValue().type();
        for (int n = 0; n < shards; n++) {
            tapes.add(new Tape(backend, type));
        }
        this.executor = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("heed-training-", 0).factory());
    }

    /** {@return how many steps were done} */
    public long steps() {
        return steps;
    }

    /**
     * Does one step. Steps of several threads follow each other.
     *
     * @param batch the shards, at least one
     * @return the sum of the shards' losses
     * @throws NonFiniteException if a number is not finite
     */
    public synchronized double step(List<? extends Shard<L>> batch) {
        if (batch.isEmpty() || batch.size() > tapes.size()) {
            throw new InvalidInputException(
                    "A batch has shards", "1 to " + tapes.size(), String.valueOf(batch.size()), "cut it otherwise");
        }
        steps++;
        List<Future<Double>> running = new ArrayList<>();
        for (int n = 0; n < batch.size(); n++) {
            Tape tape = tapes.get(n);
            Shard<L> shard = batch.get(n);
            running.add(executor.submit(() -> {
                tape.clear();
                return shard.run(tape, model);
            }));
        }
        double loss = 0;
        RuntimeException failed = null;
        for (Future<Double> shard : running) { // waits for all, so that none runs on after a failure
            try {
                loss += shard.get();
            } catch (ExecutionException e) {
                failed = e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while training", e);
            }
        }
        if (failed != null) {
            throw failed;
        }
        requireFinite("loss", loss);
        double norm = sum(batch.size());
        if (norm > largestNorm) {
            scale(largestNorm / norm);
        }
        optimizer.update(parameters, sums);
        try {
            parameters.forEach((name, parameter) -> requireFinite(name, new FlatElements(name, parameter)));
        } catch (NonFiniteException e) {
            parameters.forEach((name, parameter) -> parameter.copyFrom(last(name)));
            throw e;
        }
        parameters.forEach((name, parameter) -> last(name).copyFrom(parameter));
        return loss;
    }

    private Tensor last(String name) {
        return Objects.requireNonNull(good.get(name));
    }

    /** Adds the gradients of the shards, and returns their norm: the root of the sum of all squares. */
    private double sum(int shards) {
        double squares = 0;
        for (var entry : parameters.entrySet()) {
            String name = entry.getKey();
            List<FlatElements> parts = new ArrayList<>();
            for (Tape tape : tapes.subList(0, shards)) {
                parts.add(new FlatElements(name, tape.gradient(entry.getValue())));
            }
            var to = new FlatElements(name, Objects.requireNonNull(sums.get(name)));
            for (int i = 0; i < to.count(); i++) {
                double sum = 0;
                for (FlatElements part : parts) {
                    sum += part.get(i);
                }
                to.set(i, sum);
                squares += sum * sum;
            }
            if (!Double.isFinite(squares)) {
                requireFinite("gradient of " + name, squares);
            }
        }
        return Math.sqrt(squares);
    }

    private void scale(double factor) {
        sums.forEach((name, gradient) -> {
            var numbers = new FlatElements(name, gradient);
            for (int i = 0; i < numbers.count(); i++) {
                numbers.set(i, factor * numbers.get(i));
            }
        });
    }

    private void requireFinite(String name, FlatElements numbers) {
        for (int i = 0; i < numbers.count(); i++) {
            requireFinite(name, numbers.get(i));
        }
    }

    private void requireFinite(String name, double number) {
        if (!Double.isFinite(number)) {
            throw new NonFiniteException(steps, name, number);
        }
    }

    /** Ends the threads. */
    @Override
    public void close() {
        executor.close();
        tapes.forEach(Tape::close);
    }
}
