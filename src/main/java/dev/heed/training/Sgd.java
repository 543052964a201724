package dev.heed.training;

import dev.heed.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Stochastic gradient descent (SGD) with momentum. A parameter {@code p} with gradient {@code g} is updated by
 * {@code m = momentum m + g}, {@code p = p - rate m} (Polyak 1964; Sutskever et al. 2013).
 */
public final class Sgd implements Optimizer {
    private final double momentum;
    private final Map<String, double[]> moving = new HashMap<>();
    private double rate;

    /** Creates an optimiser without momentum. */
    public Sgd(double rate) {
        this(rate, 0);
    }

    /** Creates an optimiser with momentum, in [0, 1). */
    public Sgd(double rate, double momentum) {
        this.rate = Optimizer.requireWithin("learning rate", rate, 0, Double.POSITIVE_INFINITY);
        this.momentum = Optimizer.requireWithin("momentum", momentum, 0, 1);
    }

    @Override
    public void setRate(double rate) {
        this.rate = Optimizer.requireWithin("learning rate", rate, 0, Double.POSITIVE_INFINITY);
    }

    @Override
    public void update(SequencedMap<String, Tensor> parameters, SequencedMap<String, Tensor> gradients) {
        parameters.forEach((name, parameter) -> {
            FlatElements gradient = Optimizer.gradientOf(name, parameter, gradients);
            var p = new FlatElements(name, parameter);
            double[] m = moving.computeIfAbsent(name, n -> new double[p.count()]);
            for (int i = 0; i < m.length; i++) {
                m[i] = momentum * m[i] + gradient.get(i);
                p.set(i, p.get(i) - rate * m[i]);
            }
        });
    }
}
