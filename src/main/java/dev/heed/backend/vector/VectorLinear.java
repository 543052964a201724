package dev.heed.backend.vector;

import dev.heed.Activation;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Bf16Matrix;
import dev.heed.backend.vector.storage.Gemm;
import dev.heed.backend.vector.storage.Gemm.Packed;
import dev.heed.backend.vector.storage.Gemm.Product;
import dev.heed.backend.vector.storage.Matrix;
import dev.heed.backend.vector.storage.MatrixBuffer;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The plan of a linear layer computed in f32; the activation is applied to each block of the product while the block is
 * in cache.
 */
final class VectorLinear extends LinearPlan {
    private final Workers workers;
    private final MatrixBuffer input = new MatrixBuffer();
    private final MatrixBuffer output = new MatrixBuffer();

    VectorLinear(LinearProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " linear layer, " + workers.describe();
    }

    @Override
    protected void runForward(Tensor input, LinearWeights weights, Tensor output) {
        Activation activation = problem().activation();
        Tensor weight = weights.weight();
        if (Bf16Matrix.serve(input, weight, output)) {
            forward(Bf16Matrix.of(input), weight, weights.bias(), activation, output, this.output, workers);
            return;
        }
        Matrix to = this.output.place(output);
        Gemm.run(product(this.input.read(input), weight, weights.bias(), activation, to, workers), workers);
        this.output.deliver(to, output);
    }

    /**
     * Computes {@code output = f(x W + b)} of bf16 operands. Each task rounds its block of the result into the output; if other
     * threads cannot access the output, or its rows are not evenly spaced, the result is first computed in {@code buffer}.
     */
    static void forward(
            Bf16Matrix x,
            Tensor weight,
            @Nullable Tensor bias,
            Activation activation,
            Tensor output,
            MatrixBuffer buffer,
            Workers workers) {
        Bf16Matrix rounded = Bf16Matrix.inPlace(output);
        if (rounded != null) {
            Gemm.run(new Product(operands(x, weight, workers), row(bias), activation, rounded), workers);
            return;
        }
        Matrix to = buffer.place(output);
        Gemm.run(product(x, weight, bias, activation, to, workers), workers);
        buffer.deliver(to, output);
    }

    @Override
    protected void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        Matrix x = this.input.read(input);
        Matrix dz = this.output.read(outputGradient);
        if (problem().activation() != Activation.IDENTITY) {
            Matrix derivatives =
                    Matrix.of(new float[Math.multiplyExact(dz.rows(), dz.columns())], dz.rows(), dz.columns());
            Gemm.run(product(x, weights.weight(), weights.bias(), Activation.IDENTITY, derivatives, workers), workers);
            multiplyDerivatives(problem().activation(), derivatives, dz, workers);
            dz = derivatives;
        }
        Matrix dx = this.input.place(inputGradient);
        gradients(x, dz, weights.weight(), weightGradients.weight(), weightGradients.bias(), dx, workers);
        this.input.deliver(dx, inputGradient);
    }

    /** {@return the product {@code c = f(x W + b)} of bf16 operands, not yet computed} */
    static Product product(
            Bf16Matrix x, Tensor weight, @Nullable Tensor bias, Activation activation, Matrix c, Workers workers) {
        return new Product(operands(x, weight, workers), row(bias), activation, c);
    }

    /** {@return bf16 operands} The weight is packed at every call, or once if it is a constant tensor. */
    private static Bf16Matrix.Operands operands(Bf16Matrix x, Tensor weight, Workers workers) {
        return new Bf16Matrix.Operands(
                x,
                weight.prepared(
                        Bf16Matrix.Packed.class, () -> Bf16Matrix.of(weight).pack(workers)));
    }

    private static float @Nullable [] row(@Nullable Tensor bias) {
        return bias == null ? null : bias.prepared(float[].class, () -> wholePanels(bias));
    }

    /**
     * {@return the product {@code c = f(x W + b)}, not yet computed} W is packed at every call, or once if it is a
     * constant tensor.
     */
    static Product product(
            Matrix x, Tensor weight, @Nullable Tensor bias, Activation activation, Matrix c, Workers workers) {
        Packed packed = weight.prepared(Packed.class, () -> Gemm.pack(matrix(weight), workers));
        return new Product(x, packed, row(bias), activation, c);
    }

    /**
     * Computes the gradients of {@code y = x W + b}: {@code dx = dy W'}, {@code dW = x' dy}, and {@code db}, the column
     * sums of {@code dy}.
     */
    static void gradients(
            Matrix x, Matrix dy, Tensor weight, Tensor dWeight, @Nullable Tensor dBias, Matrix dx, Workers workers) {
        var buffer = new MatrixBuffer();
        Matrix dw = buffer.place(dWeight);
        Gemm.run(new Product(x.transposed(), Gemm.pack(dy, workers), null, Activation.IDENTITY, dw), workers);
        buffer.deliver(dw, dWeight);
        if (dBias != null) {
            dBias.copyFrom(Tensor.of(dy.columnSums(), dy.columns()));
        }
        Packed transposedWeight = Gemm.pack(matrix(weight).transposed(), workers);
        Gemm.run(new Product(dy, transposedWeight, null, Activation.IDENTITY, dx), workers);
    }

    private static float[] wholePanels(Tensor bias) {
        return Arrays.copyOf(bias.toFloatArray(), Lanes.panels(bias.size(0)) * Lanes.PANEL);
    }

    private static Matrix matrix(Tensor tensor) {
        return new MatrixBuffer().read(tensor);
    }

    /** Computes {@code z = f'(z) dy}, element-wise. */
    private static void multiplyDerivatives(Activation activation, Matrix z, Matrix dy, Workers workers) {
        workers.run(z.rows(), (r, scratch) -> {
            int at = z.at() + r * z.rowStep();
            int from = dy.at() + r * dy.rowStep();
            for (int c = 0; c < z.columns(); c++) {
                z.data()[at + c] =
                        (float) (activation.derivative(z.data()[at + c]) * dy.data()[from + c * dy.columnStep()]);
            }
        });
    }
}
