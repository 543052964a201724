package dev.heed.training;

import dev.heed.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The Adam optimiser (Kingma and Ba 2015, algorithm 1). Update {@code t} of a parameter {@code p} with gradient
 * {@code g} corrects the bias of both averages:
 *
 * <pre>
 * m = b1 m + (1 - b1) g      v = b2 v + (1 - b2) g^2
 * p = p - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
 * </pre>
 */
public final class Adam implements Optimizer {
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final Map<String, double[]> means = new HashMap<>();
    private final Map<String, double[]> squares = new HashMap<>();
    private double rate;
    private long steps;

    /**
     * Creates an optimiser with the paper's constants: {@code beta1} 0.9, {@code beta2} 0.999 and {@code epsilon} 1e-8.
     */
    public Adam(double rate) {
        this(rate, 0.9, 0.999, 1e-8);
    }

    /**
     * Creates an optimiser with the given constants.
     *
     * @param rate the learning rate
     * @param beta1 decay factor {@code b1} of the mean of the gradients, in [0, 1)
     * @param beta2 decay factor {@code b2} of the mean of their squares, in [0, 1)
     * @param epsilon added to the divisor, so that the quotient stays finite
     */
    public Adam(double rate, double beta1, double beta2, double epsilon) {
        this.rate = Optimizer.requireWithin("learning rate", rate, 0, Double.POSITIVE_INFINITY);
        this.beta1 = Optimizer.requireWithin("first beta", beta1, 0, 1);
        this.beta2 = Optimizer.requireWithin("second beta", beta2, 0, 1);
        this.epsilon = Optimizer.requireWithin("epsilon", epsilon, Double.MIN_VALUE, Double.POSITIVE_INFINITY);
    }

    @Override
    public void setRate(double rate) {
        this.rate = Optimizer.requireWithin("learning rate", rate, 0, Double.POSITIVE_INFINITY);
    }

    @Override
    public void update(SequencedMap<String, Tensor> parameters, SequencedMap<String, Tensor> gradients) {
        steps++;
        double first = rate / (1 - Math.pow(beta1, steps));
        double second = 1 - Math.pow(beta2, steps);
        parameters.forEach((name, parameter) -> {
            FlatElements gradient = Optimizer.gradientOf(name, parameter, gradients);
            var p = new FlatElements(name, parameter);
            double[] m = means.computeIfAbsent(name, n -> new double[p.count()]);
            double[] v = squares.computeIfAbsent(name, n -> new double[p.count()]);
            for (int i = 0; i < m.length; i++) {
                double g = gradient.get(i);
                m[i] = beta1 * m[i] + (1 - beta1) * g;
                v[i] = beta2 * v[i] + (1 - beta2) * g * g;
                p.set(i, p.get(i) - first * m[i] / (Math.sqrt(v[i] / second) + epsilon));
            }
        });
    }
}
