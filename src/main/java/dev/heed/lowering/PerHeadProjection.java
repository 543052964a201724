package dev.heed.lowering;

import dev.heed.Activation;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A linear map {@code y = x W + b} of the rows of all heads, computed by the linear layers of a backend. Either all heads
 * share one W and are computed in one product, or each head of {@code y} has its own W. Several heads of {@code y} may read
 * the same head of {@code x}.
 */
final class PerHeadProjection {
    private final long batch;
    private final long headsIn;
    private final long headsOut;
    private final long length;
    private final boolean perHead;
    private final Function<LinearProblem, LinearPlan> linear;
    private final Map<LinearProblem, LinearPlan> plans = new HashMap<>();

    /** The weight matrices or the biases, one per product, converted to the type in which the products are computed. */
    private record HeadMatrices(DType type, List<Tensor> matrices) {}

    PerHeadProjection(
            long batch,
            long headsIn,
            long headsOut,
            long length,
            boolean perHead,
            Function<LinearProblem, LinearPlan> linear) {
        this.batch = batch;
        this.headsIn = headsIn;
        this.headsOut = headsOut;
        this.length = length;
        this.perHead = perHead;
        this.linear = linear;
    }

    void close() {
        plans.values().forEach(LinearPlan::close);
    }

    /**
     * {@return a tensor of zeros {@code [batch, headsOut, length, width]} in which the rows of each product are contiguous}
     */
    Tensor place(DType type, long width) {
        return perHead
                ? Tensor.zeros(type, headsOut, batch, length, width).transpose(0, 1)
                : Tensor.zeros(type, batch, headsOut, length, width);
    }

    Tensor forward(Tensor x, Tensor weight, @Nullable Tensor bias) {
        DType type = x.type().accumulator();
        Tensor y = place(type, weight.size(-1));
        List<Tensor> matrices = matrices(weight, type);
        List<Tensor> biases = bias == null ? List.of() : matrices(bias, type);
        for (int head = 0; head < matrices.size(); head++) {
            Tensor to = result(y, head);
            var weights = new LinearWeights(matrices.get(head), bias == null ? null : biases.get(head));
            product(input(x, head), weights, to);
        }
        return y;
    }

    /**
     * Writes {@code dx = dy W'}. Also writes {@code dW = x' dy} and {@code db}, the sum of the rows of {@code dy}, if their
     * tensors are not null.
     */
    void backward(Tensor x, Tensor weight, Tensor dy, Tensor dx, @Nullable Tensor dWeight, @Nullable Tensor dBias) {
        DType type = x.type().accumulator();
        Tensor sums = perHead ? Tensor.zeros(type, batch, headsIn, length, x.size(3)) : null;
        List<Tensor> matrices = matrices(weight, type);
        for (int head = 0; head < matrices.size(); head++) {
            Tensor gradient = result(dy, head);
            Tensor transposed = matrices.get(head).transpose(0, 1);
            Tensor dRows = Tensor.zeros(type, gradient.size(0), transposed.size(1));
            product(gradient, new LinearWeights(transposed, null), dRows);
            if (sums == null) {
                dx.copyFrom(dRows.reshape(dx.shape()));
            } else {
                add(dRows, sums.select(1, head / (headsOut / headsIn)));
            }
            if (dWeight != null) {
                Tensor zeroedRows = zeroedRows(input(x, head), gradient);
                Tensor product = Tensor.zeros(type, zeroedRows.size(1), gradient.size(1));
                product(zeroedRows.transpose(0, 1), new LinearWeights(gradient, null), product);
                of(dWeight, head).copyFrom(product);
            }
            if (dBias != null) {
                of(dBias, head).copyFrom(columnSums(gradient));
            }
        }
        if (sums != null) {
            dx.copyFrom(sums);
        }
    }

    private void product(Tensor x, LinearWeights weights, Tensor y) {
        var problem = weights.problem(x.size(0), Activation.IDENTITY);
        plans.computeIfAbsent(problem, linear).forward(x, weights, y);
    }

    /** {@return the rows that one product reads, {@code [rows, in]}} */
    private Tensor input(Tensor x, int head) {
        Tensor rows = perHead ? x.select(1, head / (headsOut / headsIn)) : x;
        Tensor typed = Rewriting.as(x.type().accumulator(), rows);
        return typed.reshape(typed.elementCount() / x.size(3), x.size(3));
    }

    /** {@return the rows that one product writes, or their gradient, as a view of a tensor created by {@link #place}} */
    private Tensor result(Tensor y, int head) {
        Tensor rows = perHead ? y.select(1, head) : y;
        return rows.reshape(rows.elementCount() / y.size(3), y.size(3));
    }

    private List<Tensor> matrices(Tensor parameter, DType type) {
        HeadMatrices matrices = parameter.prepared(HeadMatrices.class, () -> makeMatrices(parameter, type));
        return matrices.type() == type
                ? matrices.matrices()
                : makeMatrices(parameter, type).matrices();
    }

    private HeadMatrices makeMatrices(Tensor parameter, DType type) {
        if (!perHead && parameter.type() == type) {
            return new HeadMatrices(type, List.of(parameter));
        }
        List<Tensor> matrices = new ArrayList<>();
        for (int head = 0; head < (perHead ? headsOut : 1); head++) {
            Tensor typed = Rewriting.as(type, of(parameter, head));
            matrices.add(parameter.isConstant() ? typed.asConstant() : typed);
        }
        return new HeadMatrices(type, matrices);
    }

    private Tensor of(Tensor parameter, int head) {
        return perHead ? parameter.select(0, head) : parameter;
    }

    private static void add(Tensor rows, Tensor sums) {
        for (long b = 0; b < sums.size(0); b++) {
            for (long i = 0; i < sums.size(1); i++) {
                for (long d = 0; d < sums.size(2); d++) {
                    long cell = sums.position(b, i, d);
                    sums.put(cell, sums.at(cell) + rows.get(b * sums.size(1) + i, d));
                }
            }
        }
    }

    private static Tensor columnSums(Tensor rows) {
        int width = Math.toIntExact(rows.size(1));
        double[] sums = new double[width];
        double[] all = rows.toDoubleArray();
        for (int at = 0; at < all.length; at += width) {
            for (int d = 0; d < width; d++) {
                sums[d] += all[at + d];
            }
        }
        return Tensor.of(sums, width);
    }

    /**
     * {@return the rows; if any element is non-finite, a copy with zeros in the rows whose gradient is zero} Rows whose
     * gradient is zero, for example masked keys, add nothing to {@code dW}, but 0 times a non-finite element would be NaN.
     */
    private static Tensor zeroedRows(Tensor rows, Tensor gradient) {
        if (finite(rows)) {
            return rows;
        }
        Tensor zeroedRows = rows.copy();
        for (long i = 0; i < rows.size(0); i++) {
            if (zero(gradient, i)) {
                zeroedRows.select(0, i).fill(0);
            }
        }
        return zeroedRows;
    }

    private static boolean finite(Tensor rows) {
        if (rows.type() == DType.F32) {
            int largest = 0; // bits of |x|, which are ordered like |x|, with NaN last
            for (float x : rows.toFloatArray()) {
                largest = Math.max(largest, Float.floatToRawIntBits(x) & Integer.MAX_VALUE);
            }
            return largest < Float.floatToRawIntBits(Float.POSITIVE_INFINITY);
        }
        long largest = 0;
        for (double x : rows.toDoubleArray()) {
            largest = Math.max(largest, Double.doubleToRawLongBits(x) & Long.MAX_VALUE);
        }
        return largest < Double.doubleToRawLongBits(Double.POSITIVE_INFINITY);
    }

    private static boolean zero(Tensor rows, long i) {
        for (long d = 0; d < rows.size(1); d++) {
            if (rows.get(i, d) != 0) {
                return false;
            }
        }
        return true;
    }
}
