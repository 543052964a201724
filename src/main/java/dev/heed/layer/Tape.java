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
import dev.heed.Problem;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A record of the operations that layers perform, from which gradients are computed: reverse-mode differentiation
 * (Griewank and Walther 2008, chapter 3). Products and attention run on a backend. {@link #clear} makes the arrays and plans
 * available for reuse. Their memory is a small multiple of what the largest computation between two clears needs, for any
 * number of different shapes.
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
 * <p>The first thread that computes on a tape owns it until {@link #clear}; a computation by another thread throws an
 * {@link IllegalStateException}. Any thread may read values and gradients once the owner has finished. A parameter must
 * not change between its use and {@link #clear}.
 */
public final class Tape implements AutoCloseable {
    private final AttentionBackend backend;
    private final DType type;
    private final AttentionEngine engine = new PlannedEngine();
    private final List<Runnable> steps = new ArrayList<>();
    private final Map<Tensor, Value> parameters = new IdentityHashMap<>();
    private final ElementPool pool;
    private final PlanCache plans = new PlanCache();
    private final AtomicReference<@Nullable Thread> owner = new AtomicReference<>();

    /**
     * Creates an empty tape.
     *
     * @param backend the backend for products and attention; a problem that it does not support runs on an
     *     automatically selected backend
     * @param type f32 or f64
     */
    public Tape(AttentionBackend backend, DType type) {
        if (type != DType.F32 && type != DType.F64) {
            throw new InvalidInputException(
                    "The type of a tape must be f32 or f64", "f32 or f64", type.label(), "tensor.to(DType.F32)");
        }
        this.backend = backend;
        this.type = type;
        this.pool = new ElementPool(type);
    }

    /** {@return the element type of all values and gradients on the tape} */
    public DType type() {
        return type;
    }

    // ---------------------------------------------------------------- inputs, parameters and gradients

    /** {@return a value of this tape that holds a copy of a tensor} */
    public Value input(Tensor tensor) {
        tensor.requireAccessible("input");
        Value value = value(tensor.shape());
        value.tensor().copyFrom(tensor);
        return value;
    }

    /** {@return the value of a parameter; the same tensor gives the same value until {@link #clear}} */
    public Value parameter(Tensor parameter) {
        Value known = parameters.get(parameter);
        if (known == null) {
            if (parameter.type() != type) {
                throw new InvalidInputException(
                        "A parameter has a different type from the tape",
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

    /**
     * {@return the gradient of a parameter, zeros if the backward pass did not reach it; valid until {@link #clear}}
     */
    public Tensor gradient(Tensor parameter) {
        Value known = parameters.get(parameter);
        return known != null && known.reached() ? known.gradient() : Tensor.zeros(type, parameter.shape());
    }

    /**
     * Runs the backward pass from a value to all values and parameters that the value was computed from, and removes
     * the recorded operations. Gradients accumulate over calls until {@link #clear}.
     *
     * @param value the value to start from
     * @param gradient the gradient of the loss with respect to {@code value}, in the shape of {@code value}
     */
    public void backward(Value value, Tensor gradient) {
        backward(Map.of(value, gradient));
    }

    /** Runs one backward pass from several values, given the gradient of the loss with respect to each. */
    public void backward(Map<Value, Tensor> gradients) {
        requireOwner();
        gradients.forEach((value, gradient) -> {
            if (!gradient.hasShape(value.shape())) {
                throw new InvalidInputException(
                        "The gradient does not fit the value",
                        Arrays.toString(value.shape()),
                        gradient.toString(),
                        "the gradient must have the shape of the value");
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

    /** Discards all values and gradients; their memory is reused for the next ones. */
    public void clear() {
        steps.clear();
        parameters.clear();
        pool.endPass();
        plans.endPass();
        owner.set(null);
    }

    private void requireOwner() {
        Thread now = Thread.currentThread();
        Thread first = owner.compareAndExchange(null, now);
        if (first != null && !first.equals(now)) {
            throw new IllegalStateException(
                    "Another thread computes on this tape.\n  expected  " + first + " until clear()\n  got       " + now
                            + "\nHINT: use one tape per thread, or call tape.clear() before the next thread");
        }
    }

    /** Clears the tape, drops its arrays and closes its plans. */
    @Override
    public void close() {
        clear();
        pool.close();
        plans.close();
    }

    /** {@return the elements of the arrays that wait for reuse} */
    long freeElements() {
        return pool.freeCount();
    }

    /** {@return the number of open plans} */
    int openPlans() {
        return plans.size();
    }

    // ---------------------------------------------------------------- for the operations

    /** Records a backward step, which runs only if a gradient reaches {@code result}. */
    void back(Value result, Runnable step) {
        steps.add(() -> {
            if (result.reached()) {
                step.run();
            }
        });
    }

    /** Records a backward step for an operation with two results, which runs if a gradient reaches either. */
    void backOfTwo(Value first, Value second, Runnable step) {
        steps.add(() -> {
            if (first.reached() || second.reached()) {
                step.run();
            }
        });
    }

    /** {@return a value with undefined contents} */
    Value value(long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return new Value(this, take(Math.toIntExact(count)), shape);
    }

    /** {@return {@code count} elements with undefined contents, valid until {@link #clear}} */
    Elements take(int count) {
        requireOwner();
        return pool.take(count);
    }

    Elements zeros(int count) {
        Elements cells = take(count);
        cells.clear();
        return cells;
    }

    /**
     * {@return a tensor with undefined contents, which reuses memory of the tape if {@code wanted} is the type of the
     * tape}
     */
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
        return (LinearPlan) plans.plan(problem, any -> backend(any).plan(problem));
    }

    AttentionPlan plan(AttentionProblem problem) {
        return (AttentionPlan) plans.plan(problem, any -> backend(any).plan(problem));
    }

    MultiHeadPlan plan(MultiHeadProblem problem) {
        return (MultiHeadPlan) plans.plan(problem, any -> backend(any).plan(problem));
    }

    /** {@return an engine that runs the attention calls of {@code dev.heed.mechanism} with the plans of this tape} */
    AttentionEngine engine() {
        return engine;
    }

    /** Runs the attention calls of {@code dev.heed.mechanism} with the plans of the tape. */
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

    // ---------------------------------------------------------------- operations

    /**
     * {@return {@code f(x W + b)} over the last axis, {@code [..., out]}}
     *
     * @param x {@code [..., in]}
     * @param weight {@code W}, {@code [in, out]}
     * @param bias {@code b}, {@code [out]}, or null
     * @param activation {@code f}
     */
    public Value linear(Value x, Value weight, @Nullable Value bias, Activation activation) {
        return Products.linear(this, x, weight, bias, activation);
    }

    /** {@return the element-wise sum of two values of the same shape} */
    public Value add(Value a, Value b) {
        return Elementwise.add(this, a, b);
    }

    /** {@return the element-wise product of two values of the same shape} */
    public Value multiply(Value a, Value b) {
        return Elementwise.multiply(this, a, b);
    }

    /** {@return the hyperbolic tangent of every element, in the shape of {@code x}} */
    public Value tanh(Value x) {
        return Elementwise.tanh(this, x);
    }

    /**
     * {@return several values concatenated along the last axis}
     *
     * @param values values {@code [..., width_i]} that differ in the last axis only; the result is
     *     {@code [..., width_1 + width_2 + ...]}
     */
    public Value concat(Value... values) {
        return RowOperations.concat(this, List.of(values));
    }

    /**
     * {@return a slice of the last axis, {@code [..., to - from]}}
     *
     * @param x {@code [..., width]}
     * @param from the first column
     * @param to the exclusive end of the columns, at most {@code width}
     */
    public Value columns(Value x, int from, int to) {
        return RowOperations.columns(this, x, from, to);
    }

    /**
     * {@return values of the same shape stacked along a new first axis: {@code n} values {@code [a, b, ...]} give
     * {@code [n, a, b, ...]}}
     */
    public Value stack(List<Value> values) {
        return RowOperations.stack(this, values);
    }

    /** {@return the entry {@code index} of the first axis: {@code [n, a, b, ...]} gives {@code [a, b, ...]}} */
    public Value select(Value x, int index) {
        return RowOperations.select(this, x, index);
    }

    /** {@return the same elements, in row-major order, in another shape with the same number of elements} */
    public Value reshape(Value x, long... shape) {
        return RowOperations.reshape(this, x, shape);
    }

    /**
     * {@return selected rows of a table, as for an embedding: {@code [indices.length, width]}}
     *
     * @param table {@code [rows, width]}
     * @param indices row indices, from 0 to {@code rows - 1}; an index may occur more than once
     */
    public Value rows(Value table, int... indices) {
        return RowOperations.gather(this, table, indices);
    }
}
