package dev.heed.backend.opencl.product;

import dev.heed.backend.opencl.device.Arguments;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.WorkSize;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Matrix products on the device: {@code to = left right + bias}, for operands of any storage type and strides. */
public final class Projection {
    private static final int LONGS = 14;
    private static final long ITEM_ROWS = 48;

    private final CallScope scope;

    public Projection(CallScope scope) {
        this.scope = scope;
    }

    /** {@return a packed tensor as a matrix: the last axis becomes the columns, and all other axes together become the rows} */
    public static DeviceTensor matrix(DeviceTensor tensor) {
        if (tensor.shape().length == 2) {
            return tensor;
        }
        long width = tensor.size(tensor.shape().length - 1);
        return tensor.reshape(tensor.count() / width, width);
    }

    /** {@return the transposed matrix, without a copy} */
    public static DeviceTensor transposed(DeviceTensor m) {
        return new DeviceTensor(
                m.buffer(), m.type(), m.at(), new long[] {m.size(1), m.size(0)}, new long[] {m.stride(1), m.stride(0)});
    }

    public void multiply(DeviceTensor left, DeviceTensor right, @Nullable DeviceTensor bias, DeviceTensor to) {
        multiply(left, right, bias, to, false);
    }

    /** {@return the maximum bytes of the buffers to which a product packs or copies its operands} */
    public static long scratch(Engine engine, boolean f64, long rows, long columns, long depth) {
        if (engine.family.isStaged()) {
            return engine.matrix() == null || f64 ? 0 : MatrixProduct.copies(rows, columns, depth);
        }
        long width = 4L * engine.lanes(f64);
        return Math.ceilDiv(rows, ITEM_ROWS) * Math.ceilDiv(columns, width) * depth * width * (f64 ? 8 : 4);
    }

    static Arguments struct(
            CallScope scope,
            DeviceTensor left,
            DeviceTensor right,
            DeviceTensor to,
            boolean hasBias,
            boolean continues) {
        return new Arguments(LONGS, 0, scope.f64)
                .put(left.at(), left.stride(0), left.stride(1))
                .put(right.at(), right.stride(0), right.stride(1))
                .put(to.at(), to.stride(0), to.stride(1))
                .put(to.size(0), to.size(1), left.size(1))
                .put(hasBias, continues);
    }

    /** Computes a product. If {@code continues}, adds it to {@code to}, so that slices of the depth can be summed. */
    public void multiply(
            DeviceTensor left, DeviceTensor right, @Nullable DeviceTensor bias, DeviceTensor to, boolean continues) {
        long rows = to.size(0);
        long columns = to.size(1);
        long depth = left.size(1);
        Arguments struct = struct(scope, left, right, to, bias != null, continues);
        String options = "-DLEFT=" + StorageCode.of(left.type()) + " -DRIGHT=" + StorageCode.of(right.type()) + " -DTO="
                + StorageCode.of(to.type()) + scope.realOption();
        var biasBuffer = bias == null ? scope.nothing() : bias.buffer();
        if (scope.engine.family == Engine.Family.LANES) {
            long width = 4L * scope.engine.lanes(scope.f64);
            long tasks = Math.ceilDiv(rows, ITEM_ROWS) * Math.ceilDiv(columns, width);
            var packed = scope.reals(tasks * depth * width);
            scope.launch(
                    "product",
                    options + " -DLANES=" + scope.engine.lanes(scope.f64),
                    "product_lanes",
                    WorkSize.groups(tasks, 1),
                    struct,
                    left.buffer(),
                    right.buffer(),
                    to.buffer(),
                    biasBuffer,
                    packed);
            scope.free(packed);
            return;
        }
        Optional<MatrixProduct> units = MatrixProduct.of(scope, left, right, to);
        if (units.isPresent()) {
            units.get().run(bias, continues);
            return;
        }
        TileSizes sizes = scope.sizes("product", columns);
        scope.launch(
                "product",
                options + sizes.options(),
                "product_tiles",
                WorkSize.groups(
                        Math.ceilDiv(rows, sizes.rows()) * Math.ceilDiv(columns, sizes.columns()), sizes.items()),
                struct,
                left.buffer(),
                right.buffer(),
                to.buffer(),
                biasBuffer);
    }

    /** Writes the sum of each column of a matrix to {@code to}, {@code [columns]}. */
    public void columnSums(DeviceTensor matrix, DeviceTensor to) {
        Arguments struct = new Arguments(LONGS, 0, scope.f64)
                .put(matrix.at(), matrix.stride(0), matrix.stride(1))
                .put(0, 0, 0)
                .put(to.at(), 0, 1)
                .put(matrix.size(0), matrix.size(1), 0)
                .put(false, false);
        scope.launch(
                "product",
                "-DLEFT=" + StorageCode.of(matrix.type()) + " -DRIGHT=" + StorageCode.of(scope.real()) + " -DTO="
                        + StorageCode.of(to.type()) + scope.realOption(),
                "column_sums",
                WorkSize.covering(matrix.size(1), scope.group()),
                struct,
                matrix.buffer(),
                to.buffer());
    }
}
