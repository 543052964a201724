package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.Placed;
import dev.heed.backend.opencl.device.Work;
import dev.heed.backend.opencl.product.RowKernels;
import org.jspecify.annotations.Nullable;

/** Rows divided by their length, times a strength: what is left of a cosine is a dot product. */
final class NormalisedRows implements LoweredRows {
    private final Work work;
    private final Placed given;
    private final double strength;
    private final @Nullable ParameterPart parameter;
    private final @Nullable Placed strengths;
    private final Placed rows;

    /**
     * Rewrites rows.
     *
     * @param given {@code [batch, heads, rows, width]}
     * @param strength of all rows, where they have none of their own
     * @param parameter strengths that broadcast to {@code [batch, heads, rows]}, or null
     */
    NormalisedRows(Work work, Placed given, double strength, @Nullable ParameterPart parameter) {
        this.work = work;
        this.given = given;
        this.strength = strength;
        this.parameter = parameter;
        this.strengths = parameter == null ? null : parameter.upload(work, work.real());
        this.rows = new RowKernels(work).normalised(given, strength, strengths);
    }

    @Override
    public Placed rows() {
        return rows;
    }

    @Override
    public Placed back(Placed gradient) {
        return new RowKernels(work)
                .normalisedBack(given, strength, strengths, gradient)
                .rows();
    }

    @Override
    public void parameters(Placed gradient, ParameterSums sums) {
        if (parameter == null || strengths == null) {
            return;
        }
        var kernels = new RowKernels(work);
        long[] shape = {1, 1, 1, 1};
        int rank = strengths.shape().length;
        System.arraycopy(strengths.shape(), 0, shape, 3 - rank, rank);
        Placed each =
                kernels.normalisedBack(given, strength, strengths, gradient).strengths();
        sums.add(work, parameter, kernels.sum(each, shape).reshape(strengths.shape()));
    }
}
