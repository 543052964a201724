package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.backend.opencl.product.RowKernels;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Rows multiplied by a matrix, plus a bias. If each query head has a separate matrix, it has separate projected rows too. */
final class ProjectedRows implements LoweredRows {
    private final CallScope scope;
    private final Projection projection;
    private final DeviceTensor given;
    private final ParameterSlice weight;
    private final @Nullable ParameterSlice bias;
    private final DeviceTensor matrix;
    private final boolean perHead;
    private final long heads;
    private final DeviceTensor rows;

    /**
     * Rewrites rows.
     *
     * @param given {@code [batch, heads, rows, in]}
     * @param weight {@code [in, out]} or {@code [query heads, in, out]}
     * @param bias {@code [out]} or {@code [query heads, out]}, or null
     * @param queryHeads the number of query heads of the call
     */
    ProjectedRows(
            CallScope scope,
            DeviceTensor given,
            ParameterSlice weight,
            @Nullable ParameterSlice bias,
            long queryHeads) {
        this.scope = scope;
        this.projection = new Projection(scope);
        this.given = given;
        this.weight = weight;
        this.bias = bias;
        this.matrix = weight.upload(scope);
        this.perHead = matrix.shape().length == 3;
        this.heads = perHead ? queryHeads : given.size(1);
        this.rows = projected();
    }

    private DeviceTensor projected() {
        long out = matrix.size(matrix.shape().length - 1);
        DeviceTensor to = scope.allocate(scope.real(), given.size(0), heads, given.size(2), out);
        if (!perHead) {
            DeviceTensor added = bias == null ? null : bias.upload(scope, scope.real());
            projection.multiply(Projection.matrix(packed()), matrix, added, Projection.matrix(to));
            return to;
        }
        for (long h = 0; h < heads; h++) {
            DeviceTensor added =
                    bias == null ? null : scope.upload(bias.tensor().select(0, h), scope.real());
            for (long b = 0; b < given.size(0); b++) {
                projection.multiply(plane(given, b, h / shared()), matrix.select(0, h), added, plane(to, b, h));
            }
        }
        return to;
    }

    private DeviceTensor packed() {
        return given.isPacked() ? given : scope.packed(given, given.type());
    }

    /** {@return the number of projected heads that are computed from one head of the given rows} */
    private long shared() {
        return heads / given.size(1);
    }

    private static DeviceTensor plane(DeviceTensor rows, long b, long h) {
        return rows.select(0, b).select(0, h);
    }

    @Override
    public DeviceTensor rows() {
        return rows;
    }

    @Override
    public DeviceTensor back(DeviceTensor gradient) {
        DeviceTensor to = scope.allocate(scope.real(), given.shape());
        if (!perHead) {
            projection.multiply(
                    Projection.matrix(gradient), Projection.transposed(matrix), null, Projection.matrix(to));
            return to;
        }
        for (long b = 0; b < given.size(0); b++) {
            for (long h = 0; h < heads; h++) {
                projection.multiply(
                        plane(gradient, b, h),
                        Projection.transposed(matrix.select(0, h)),
                        null,
                        plane(to, b, h / shared()),
                        h % shared() != 0);
            }
        }
        return to;
    }

    @Override
    public void parameters(DeviceTensor gradient, ParameterGradients sums) {
        var kernels = new RowKernels(scope);
        DeviceTensor reached = kernels.reached(given, gradient);
        long in = given.size(3);
        long out = gradient.size(3);
        DeviceTensor product = kernels.products(reached, gradient, perHead);
        sums.add(scope, weight, perHead ? product : product.reshape(in, out));
        if (bias != null) {
            Tensor shape = bias.tensor();
            DeviceTensor sum = kernels.sum(gradient, 1, perHead ? heads : 1, 1, out);
            sums.add(scope, bias, sum.reshape(shape.shape()));
        }
    }
}
