package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.product.RowKernels;
import org.jspecify.annotations.Nullable;

/** Rows divided by their Euclidean norm and multiplied by a strength: a cosine score is the dot product of two such rows. */
final class NormalisedRows implements LoweredRows {
    private final CallScope scope;
    private final DeviceTensor given;
    private final double strength;
    private final @Nullable ParameterSlice parameter;
    private final @Nullable DeviceTensor strengths;
    private final DeviceTensor rows;

    /**
     * Rewrites rows.
     *
     * @param given {@code [batch, heads, rows, headDim]}
     * @param strength the strength of all rows if {@code parameter} is null
     * @param parameter strengths that broadcast to {@code [batch, heads, rows]}, or null
     */
    NormalisedRows(CallScope scope, DeviceTensor given, double strength, @Nullable ParameterSlice parameter) {
        this.scope = scope;
        this.given = given;
        this.strength = strength;
        this.parameter = parameter;
        this.strengths = parameter == null ? null : parameter.upload(scope, scope.real());
        this.rows = new RowKernels(scope).normalised(given, strength, strengths);
    }

    @Override
    public DeviceTensor rows() {
        return rows;
    }

    @Override
    public DeviceTensor back(DeviceTensor gradient) {
        return new RowKernels(scope)
                .normalisedBack(given, strength, strengths, gradient)
                .rows();
    }

    @Override
    public void parameters(DeviceTensor gradient, ParameterGradients sums) {
        if (parameter == null || strengths == null) {
            return;
        }
        var kernels = new RowKernels(scope);
        long[] shape = {1, 1, 1, 1};
        int rank = strengths.shape().length;
        System.arraycopy(strengths.shape(), 0, shape, 3 - rank, rank);
        DeviceTensor each =
                kernels.normalisedBack(given, strength, strengths, gradient).strengths();
        sums.add(scope, parameter, kernels.sum(each, shape).reshape(strengths.shape()));
    }
}
