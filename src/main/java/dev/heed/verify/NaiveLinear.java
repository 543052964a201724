package dev.heed.verify;

import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A linear layer in f32, with plain loops. */
final class NaiveLinear extends LinearPlan {
    NaiveLinear(LinearProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "naive linear layer, f32";
    }

    @Override
    protected void runForward(Tensor input, LinearWeights weights, Tensor output) {
        float[] y =
                product(input.unsqueeze(0), weights.weight(), weights.bias()).toFloatArray();
        for (int i = 0; i < y.length; i++) {
            y[i] = apply(y[i]);
        }
        output.copyFrom(Tensor.of(y, output.shape()));
    }

    @Override
    protected void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        float[] z =
                product(input.unsqueeze(0), weights.weight(), weights.bias()).toFloatArray();
        float[] dz = outputGradient.toFloatArray();
        for (int i = 0; i < z.length; i++) {
            dz[i] *= (float) problem().activation().derivative(z[i]);
        }
        Tensor dx = backward(
                input.unsqueeze(0),
                weights.weight(),
                Tensor.of(dz, 1, problem().rows(), problem().out()),
                weightGradients.weight(),
                weightGradients.bias());
        inputGradient.copyFrom(dx.select(0, 0));
    }

    /** {@return the activation of {@code x} by the formula of the activation, rounded to f32} */
    private float apply(float x) {
        return switch (problem().activation()) {
            case IDENTITY -> x;
            case RELU -> Math.max(x, 0);
            case GELU -> (float) problem().activation().apply(x);
            case TANH -> (float) Math.tanh(x);
        };
    }

    /** {@return {@code x W + b} for {@code x [batch, rows, in]}} */
    static Tensor product(Tensor x, Tensor w, @Nullable Tensor bias) {
        int in = (int) w.size(0);
        int out = (int) w.size(1);
        float[] cells = x.toFloatArray();
        float[] matrix = w.toFloatArray();
        float[] y = new float[cells.length / in * out];
        for (int r = 0; r < cells.length / in; r++) {
            for (int c = 0; c < out; c++) {
                float sum = 0;
                for (int k = 0; k < in; k++) {
                    sum += cells[r * in + k] * matrix[k * out + c];
                }
                y[r * out + c] = bias == null ? sum : sum + (float) bias.get(c);
            }
        }
        return Tensor.of(y, x.size(0), x.size(1), out);
    }

    /** Computes the gradients of {@link #product}: returns {@code dx} and writes {@code dW} and {@code db}. */
    static Tensor backward(Tensor x, Tensor w, Tensor dy, Tensor dw, @Nullable Tensor db) {
        Tensor rows = x.reshape(1, x.size(0) * x.size(1), x.size(2));
        Tensor dRows = dy.reshape(1, dy.size(0) * dy.size(1), dy.size(2));
        dw.copyFrom(product(rows.transpose(1, 2), dRows.select(0, 0), null).select(0, 0));
        if (db != null) {
            float[] ones = new float[(int) dRows.size(1)];
            Arrays.fill(ones, 1);
            Tensor sums = product(Tensor.of(ones, 1, 1, ones.length), dRows.select(0, 0), null);
            db.copyFrom(sums.select(0, 0).select(0, 0));
        }
        return product(dy, w.transpose(0, 1), null);
    }
}
