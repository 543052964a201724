package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.Backends;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.Plan;
import dev.heed.Problem;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what layers compute so that it can go back: reverse-mode differentiation (Griewank and Walther 2008, chapter 3).
 * Products and attention run on a backend; plans and arrays are made once for each shape and kept.
 *
 * <pre>{@code
 * try (Tape tape = new Tape(backend, DType.F32)) {
 *     Value y = layer.forward(tape, tape.input(x));
 *     tape.backward(y, outputGradient);
 *     layer.map((name, parameter) -> tape.gradient(parameter).copy());
 *     tape.clear();
 * }
 * }</pre>
 *
 * <p>From {@link #clear} to {@link #clear} a tape belongs to the first thread that computes on it, and refuses others with an
 * {@link IllegalStateException}; any thread may read values and gradients once that one is done. A parameter must not change
 * between its use and {@link #clear}.
 */
public final class Tape implements AutoCloseable {
    private final AttentionBackend backend;
    private final DType type;
    private final AttentionEngine engine = new PlannedEngine();
    private final List<Runnable> steps = new ArrayList<>();
    private final Map<Tensor, Value> parameters = new IdentityHashMap<>();
    private final Map<Integer, Deque<Elements>> free = new HashMap<>();
    private final List<Elements> taken = new ArrayList<>();
    private final Map<Problem, Plan<?>> plans = new HashMap<>();
    private final AtomicReference<@Nullable Thread> owner = new AtomicReference<>();

    /**
     * Creates an empty tape.
     *
     * @param backend what computes products and attention; a problem that it does not support goes to the backend that the
     *     automatic choice takes
     * @param type f32 or f64
     */
    public Tape(AttentionBackend backend, DType type) {
        if (type != DType.F32 && type != DType.F64) {
            throw new InvalidInputException(
                    "Layers compute in f32 or f64", "f32 or f64", type.label(), "tensor.to(DType.F32)");
        }
        this.backend = backend;
        this.type = type;
    }

    /** {@return the type of everything on the tape} */
    public DType type() {
        return type;
    }

    // ---------------------------------------------------------------- what goes in and comes out

    /** {@return a copy of a tensor on the tape} */
    public Value input(Tensor tensor) {
        tensor.requireAccessible("input");
        Value value = value(tensor.shape());
        value.tensor().copyFrom(tensor);
        return value;
    }

    /** {@return the value of a parameter; the same tensor has one value until {@link #clear}} */
    public Value parameter(Tensor parameter) {
        Value known = parameters.get(parameter);
        if (known == null) {
            if (parameter.type() != type) {
                throw new InvalidInputException(
                        "A parameter has another type than the tape",
                        type.label(),
                        parameter.toString(),
                        "layer.map((name, parameter) -> parameter.to(DType." + type + "))");
            }
            known = input(parameter);
            parameters.put(parameter, known);
        }
        return known;
    }

    @Nullable
    Value parameterOrNull(@Nullable Tensor parameter) {
        return parameter == null ? null : parameter(parameter);
    }

    /** {@return the gradient of a parameter, zeros if nothing reached it; it lives until {@link #clear}} */
    public Tensor gradient(Tensor parameter) {
        Value known = parameters.get(parameter);
        return known != null && known.reached() ? known.gradient() : Tensor.zeros(type, parameter.shape());
    }

    /**
     * Goes back from a value to everything it was computed from; gradients add up over several calls' values.
     *
     * @param value where to start
     * @param gradient the gradient of the loss with respect to it, of its shape
     */
    public void backward(Value value, Tensor gradient) {
        backward(Map.of(value, gradient));
    }

    /** Goes back from several values at once. */
    public void backward(Map<Value, Tensor> gradients) {
        requireOwner();
        gradients.forEach((value, gradient) -> {
            if (!gradient.hasShape(value.shape())) {
                throw new InvalidInputException(
                        "The gradient does not fit the value",
                        Arrays.toString(value.shape()),
                        gradient.toString(),
                        "one number for each element");
            }
            double[] numbers = gradient.toDoubleArray();
            for (int i = 0; i < numbers.length; i++) {
                value.gradientElements().add(i, numbers[i]);
            }
        });
        for (int i = steps.size() - 1; i >= 0; i--) {
            steps.get(i).run();
        }
        steps.clear();
    }

    /** Forgets all values, whose memory serves the next ones. */
    public void clear() {
        steps.clear();
        parameters.clear();
        taken.forEach(cells ->
                free.computeIfAbsent(cells.count(), count -> new ArrayDeque<>()).push(cells));
        taken.clear();
        owner.set(null);
    }

    private void requireOwner() {
        Thread now = Thread.currentThread();
        Thread first = owner.compareAndExchange(null, now);
        if (first != null && !first.equals(now)) {
            throw new IllegalStateException(
                    "Another thread computes on this tape.\n  expected  " + first + " until clear()\n  got       " + now
                            + "\nHINT: a tape for each thread, or tape.clear() between them");
        }
    }

    /** Gives the plans back. */
    @Override
    public void close() {
        clear();
        plans.values().forEach(Plan::close);
        plans.clear();
    }

    // ---------------------------------------------------------------- for the steps

    /** Adds what is to be done on the way back, if a gradient reaches the result. */
    void back(Value result, Runnable step) {
        steps.add(() -> {
            if (result.reached()) {
                step.run();
            }
        });
    }

    /** As {@link #back} for a step with two results. */
    void backOfTwo(Value first, Value second, Runnable step) {
        steps.add(() -> {
            if (first.reached() || second.reached()) {
                step.run();
            }
        });
    }

    /** {@return a value with any contents} */
    Value value(long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return new Value(this, take(Math.toIntExact(count)), shape);
    }

    /** {@return numbers with any contents until {@link #clear}} */
    Elements take(int count) {
        requireOwner();
        Deque<Elements> same = free.get(count);
        Elements cells = same == null || same.isEmpty() ? Elements.of(type, count) : same.pop();
        taken.add(cells);
        return cells;
    }

    Elements zeros(int count) {
        Elements cells = take(count);
        cells.clear();
        return cells;
    }

    /** {@return a tensor with any contents, from the same store where it has the tape's type} */
    Tensor scratch(DType wanted, long... shape) {
        return wanted == type ? value(shape).tensor() : Tensor.zeros(wanted, shape);
    }

    private AttentionBackend backend(Problem problem) {
        return supports(problem) ? backend : Backends.select(problem, null);
    }

    boolean supports(Problem problem) {
        return backend.notSupportedReasons(problem).isEmpty();
    }

    LinearPlan plan(LinearProblem problem) {
        return (LinearPlan) plans.computeIfAbsent(problem, p -> backend(p).plan(problem));
    }

    AttentionPlan plan(AttentionProblem problem) {
        return (AttentionPlan) plans.computeIfAbsent(problem, p -> backend(p).plan(problem));
    }

    MultiHeadPlan plan(MultiHeadProblem problem) {
        return (MultiHeadPlan) plans.computeIfAbsent(problem, p -> backend(p).plan(problem));
    }

    /** {@return what sends the attentions of composed mechanisms to this tape's plans} */
    AttentionEngine engine() {
        return engine;
    }

    /** Runs composed mechanisms with the plans that are kept. */
    private final class PlannedEngine implements AttentionEngine {
        @Override
        public AttentionResult forward(AttentionInputs inputs) {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            plan(inputs.problem()).forward(inputs, result);
            return result;
        }

        @Override
        public AttentionGradients backward(
                AttentionInputs inputs, AttentionResult forward, Tensor outputGradient, @Nullable Tensor lseGradient) {
            AttentionGradients gradients = AttentionGradients.allocate(inputs);
            plan(inputs.problem()).backward(inputs, forward, outputGradient, lseGradient, gradients);
            return gradients;
        }
    }

    // ---------------------------------------------------------------- steps

    /** {@return {@code f(x W + b)} over the last axis} */
    public Value linear(Value x, Value weight, @Nullable Value bias, Activation activation) {
        return Products.linear(this, x, weight, bias, activation);
    }

    /** {@return the sum of two values of one shape} */
    public Value add(Value a, Value b) {
        return Elementwise.add(this, a, b);
    }

    /** {@return the product, element by element, of two values of one shape} */
    public Value multiply(Value a, Value b) {
        return Elementwise.multiply(this, a, b);
    }

    /** {@return the hyperbolic tangent of every element} */
    public Value tanh(Value x) {
        return Elementwise.tanh(this, x);
    }

    /** {@return rows of several values side by side: their last axes joined} */
    public Value concat(Value... values) {
        return RowOperations.concat(this, List.of(values));
    }

    /** {@return some columns: a slice of the last axis} */
    public Value columns(Value x, int from, int to) {
        return RowOperations.columns(this, x, from, to);
    }

    /** {@return values of one shape along a new first axis} */
    public Value stack(List<Value> values) {
        return RowOperations.stack(this, values);
    }

    /** {@return one entry of the first axis} */
    public Value select(Value x, int index) {
        return RowOperations.select(this, x, index);
    }

    /** {@return the same elements in another shape} */
    public Value reshape(Value x, long... shape) {
        return RowOperations.reshape(this, x, shape);
    }

    /** {@return rows of a table: an embedding; one row for each index, {@code [indices, width]}} */
    public Value rows(Value table, int... indices) {
        return RowOperations.gather(this, table, indices);
    }
}
