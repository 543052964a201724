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
 * A trainer that performs the training steps of a model. The caller splits each batch into shards, which can run at the
 * same time, each on a separate tape. The gradients of the shards are added in shard order, so the bits of the result
 * depend on the shards and not on the number of threads.
 *
 * <p>A non-finite loss, gradient or parameter stops the step, and the model keeps the last finite parameters.
 *
 * @param <L> the type of the model
 */
public final class Trainer<L extends Layer<L>> implements AutoCloseable {
    /**
     * The computation of one shard of a batch.
     *
     * @param <L> the type of the model
     */
    @FunctionalInterface
    public interface Shard<L> {
        /**
         * {@return the loss of the shard} The implementation must also call {@link Tape#backward} with the gradient of
         * this loss.
         */
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
     * @param model the model to train; its parameters are updated in place
     * @param optimizer the update rule
     * @param largestNorm maximum global norm of the gradients, infinity for no limit; gradients with a larger norm are
     *     scaled down to it
     * @param backend backend of the tapes; give it one thread if shards run at the same time
     * @param shards maximum number of shards in a batch
     * @param threads maximum number of shards that run at the same time
     * @throws NonFiniteException if a parameter is non-finite
     */
    public Trainer(
            L model, Optimizer optimizer, double largestNorm, AttentionBackend backend, int shards, int threads) {
        if (!(largestNorm > 0) || shards < 1 || threads < 1) {
            throw new InvalidInputException(
                    "The trainer's arguments do not fit",
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
                    "There is nothing to train",
                    "parameters",
                    "none",
                    "a layer's map method must call its argument for each parameter");
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

    /** {@return the number of steps started, including steps that failed} */
    public long steps() {
        return steps;
    }

    /**
     * Performs one training step. Concurrent calls run one after another.
     *
     * @param batch the shards, one or more
     * @return the sum of the shards' losses
     * @throws NonFiniteException if the loss, a gradient or a parameter is non-finite
     */
    public synchronized double step(List<? extends Shard<L>> batch) {
        if (batch.isEmpty() || batch.size() > tapes.size()) {
            throw new InvalidInputException(
                    "The number of shards does not fit",
                    "1 to " + tapes.size(),
                    String.valueOf(batch.size()),
                    "create the trainer with more shards, or split the batch differently");
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
        for (Future<Double> shard : running) { // waits for all, so that no shard still runs when a failure is thrown
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

    /**
     * Adds the gradients of the shards and returns the global norm: the square root of the sum of the squares of all
     * elements.
     */
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

    /** Stops the threads and closes the tapes. */
    @Override
    public void close() {
        executor.close();
        tapes.forEach(Tape::close);
    }
}
