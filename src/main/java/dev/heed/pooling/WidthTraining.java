package dev.heed.pooling;

import dev.heed.AttentionEngine;
import dev.heed.mask.Mask;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * A trainer for the width of {@link SmoothingKernel#gaussian(Tensor)}, by stochastic gradient descent. Each step draws
 * points at random, with replacement, and predicts the value of each drawn point from all other points. The loss is the
 * mean squared error. The same seed gives the same bits.
 */
public final class WidthTraining {
    private final Tensor points;
    private final Tensor values;
    private final Tensor width;
    private final KernelPooling pooling;
    private final SplittableRandom random;
    private int steps;

    /**
     * Creates a trainer that starts with the given width.
     *
     * @param points {@code [points, n]}: the {@code n} coordinates of two or more points
     * @param values {@code [points, valueWidth]}
     * @param width the initial width of the kernel, above 0
     * @param seed seed of the random choice of points
     * @param engine the engine that computes the attention
     */
    public WidthTraining(Tensor points, Tensor values, double width, long seed, AttentionEngine engine) {
        if (points.rank() != 2 || values.rank() != 2 || points.size(0) < 2 || points.size(0) != values.size(0)) {
            throw new InvalidInputException(
                    "The points do not fit their values",
                    "[points, width] and [points, valueWidth], two points or more",
                    "points " + points + ", values " + values,
                    "give scalars x_1 ... x_n as a tensor [n, 1]");
        }
        if (!(width > 0) || !Double.isFinite(width)) {
            throw new InvalidInputException(
                    "The initial width is not a positive number", "width > 0 and finite", String.valueOf(width), "1");
        }
        this.points = points;
        this.values = values;
        this.width = Tensor.of(new double[] {width}, 1);
        this.pooling = new KernelPooling(SmoothingKernel.gaussian(this.width)).on(engine);
        this.random = new SplittableRandom(seed);
    }

    /** {@return the current width} */
    public double width() {
        return width.get(0);
    }

    /**
     * Performs one step of gradient descent.
     *
     * @param rate the learning rate
     * @param batch number of points drawn
     * @return the loss of the drawn points, before the step
     * @throws ArithmeticException if the gradient is non-finite; the width stays unchanged
     */
    public double step(double rate, int batch) {
        if (!(rate > 0) || !Double.isFinite(rate) || batch < 1) {
            throw new InvalidInputException(
                    "The rate or the number of points does not fit",
                    "rate > 0 and batch >= 1",
                    rate + " and " + batch,
                    "step(0.1, 20)");
        }
        long[] taken = new long[batch];
        for (int i = 0; i < batch; i++) {
            taken[i] = random.nextLong(points.size(0));
        }
        Batch some = batch(taken);
        double[] errors = some.errors();
        double loss = loss(errors);
        for (int e = 0; e < errors.length; e++) {
            errors[e] *= 2.0 / errors.length;
        }
        Tensor up = Tensor.of(errors, batch, values.size(1)).to(values.type());
        Tensor widthGradient = pooling.backward(some.queries(), points, values, some.others(), up)
                .width();
        double gradient = widthGradient == null ? Double.NaN : widthGradient.get(0);
        if (!Double.isFinite(gradient)) {
            throw new ArithmeticException(
                    "The gradient of the width is " + gradient + " at step " + steps + "; the width stays " + width());
        }
        width.set(width.get(0) - rate * gradient, 0);
        steps++;
        return loss;
    }

    /** {@return the loss over all points at the current width} */
    public double loss() {
        long[] all = new long[Math.toIntExact(points.size(0))];
        for (int i = 0; i < all.length; i++) {
            all[i] = i;
        }
        return loss(batch(all).errors());
    }

    private static double loss(double[] errors) {
        double loss = 0;
        for (double error : errors) {
            loss += error * error / errors.length;
        }
        return loss;
    }

    /**
     * The drawn points, the mask that lets each drawn point attend to all other points, and the errors: prediction
     * minus value.
     */
    private record Batch(Tensor queries, Mask others, double[] errors) {}

    private Batch batch(long[] taken) {
        int n = Math.toIntExact(points.size(0));
        Tensor queries = Tensor.zeros(points.type(), taken.length, points.size(1));
        Tensor targets = Tensor.zeros(values.type(), taken.length, values.size(1));
        boolean[] others = new boolean[taken.length * n];
        for (int i = 0; i < taken.length; i++) {
            queries.select(0, i).copyFrom(points.select(0, taken[i]));
            targets.select(0, i).copyFrom(values.select(0, taken[i]));
            for (int j = 0; j < n; j++) {
                others[i * n + j] = j != taken[i];
            }
        }
        Mask mask = Mask.dense(Tensor.of(others, taken.length, n));
        double[] errors = pooling.forward(queries, points, values, mask).toDoubleArray();
        double[] wanted = targets.toDoubleArray();
        for (int e = 0; e < errors.length; e++) {
            errors[e] -= wanted[e];
        }
        return new Batch(queries, mask, errors);
    }
}
