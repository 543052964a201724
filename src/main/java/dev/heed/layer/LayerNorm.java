package dev.heed.layer;

import dev.heed.tensor.Tensor;

/**
 * A layer that normalises each row to mean 0 and variance 1, and then scales and shifts its elements (Ba et al. 2016):
 * {@code (x - mean) / sqrt(variance + epsilon) * weight + bias}. The variance is the mean square deviation.
 *
 * @param weight {@code [width]}
 * @param bias {@code [width]}
 * @param epsilon added to the variance, so that rows of equal elements stay finite; 2^-126 or more
 */
public record LayerNorm(Tensor weight, Tensor bias, double epsilon) implements Layer<LayerNorm> {
    /** Checks epsilon. */
    public LayerNorm {
        RowNorm.requireEpsilon(epsilon);
    }

    /** {@return a layer with a weight of ones and a bias of zeros; {@code epsilon} is 1e-5} */
    public static LayerNorm create(Initial initial, long width) {
        return new LayerNorm(initial.ones(width), initial.zeros(width), 1e-5);
    }

    @Override
    public LayerNorm map(Change change) {
        return new LayerNorm(change.apply("weight", weight), change.apply("bias", bias), epsilon);
    }

    /** {@return a copy of this layer for inference, which normalises arrays in place} */
    public RowNorm inPlace() {
        return new RowNorm(weight.toFloatArray(), bias.toFloatArray(), epsilon);
    }

    /** {@return {@code x}, {@code [..., width]}, with every row normalised, scaled and shifted} */
    public Value forward(Tape tape, Value x) {
        Value w = tape.parameter(weight);
        Value b = tape.parameter(bias);
        int width = x.width();
        int rows = x.rows();
        w.require("weight", width);
        Value y = tape.value(x.shape());
        Elements normal = tape.take(rows * width);
        double[] factors = new double[rows];
        for (int r = 0; r < rows; r++) {
            int from = r * width;
            double mean = 0;
            for (int i = 0; i < width; i++) {
                mean += x.data().get(from + i) / width;
            }
            double variance = 0;
            for (int i = 0; i < width; i++) {
                double apart = x.data().get(from + i) - mean;
                variance += apart * apart / width;
            }
            factors[r] = 1 / Math.sqrt(variance + epsilon);
            for (int i = 0; i < width; i++) {
                double z = (x.data().get(from + i) - mean) * factors[r];
                normal.set(from + i, z);
                y.data().set(from + i, z * w.data().get(i) + b.data().get(i));
            }
        }
        tape.back(y, () -> {
            for (int r = 0; r < rows; r++) {
                back(r * width, factors[r], x, w, b, y, normal);
            }
        });
        return y;
    }

    /**
     * Adds the gradients of a row: {@code dx = (g - mean(g) - z mean(g z)) / sqrt(variance + epsilon)}, with
     * {@code g = dy w} and the normalised row {@code z}.
     */
    private static void back(int from, double factor, Value x, Value w, Value b, Value y, Elements normal) {
        int width = x.width();
        double mean = 0;
        double along = 0;
        for (int i = 0; i < width; i++) {
            double dy = y.gradientElements().get(from + i);
            double z = normal.get(from + i);
            w.gradientElements().add(i, dy * z);
            b.gradientElements().add(i, dy);
            mean += dy * w.data().get(i) / width;
            along += dy * w.data().get(i) * z / width;
        }
        for (int i = 0; i < width; i++) {
            double g = y.gradientElements().get(from + i) * w.data().get(i);
            x.gradientElements().add(from + i, factor * (g - mean - normal.get(from + i) * along));
        }
    }
}
