package dev.heed.backend.opencl.product;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.MatrixUnits;
import dev.heed.backend.opencl.device.ProductForm;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A matrix product on matrix units. The portable kernel computes the products that matrix units do not support. */
public final class MatrixProduct {
    private static final int EIGHT = 8;

    private final CallScope scope;
    private final Side left;
    private final Side right;
    private final DeviceTensor to;
    private final MatrixTiles tiles;

    /**
     * An operand and its order in memory.
     *
     * @param matrix the operand
     * @param transposed true if columns are contiguous in memory, false if rows are
     */
    private record Side(DeviceTensor matrix, boolean transposed) {
        static Side of(DeviceTensor matrix) {
            boolean rows = matrix.stride(1) == 1 || matrix.size(1) == 1;
            return new Side(matrix, !rows && (matrix.stride(0) == 1 || matrix.size(0) == 1));
        }

        private int across() {
            return transposed ? 0 : 1;
        }

        /**
         * {@return the operand; a padded copy if neither its rows nor its columns are contiguous, or if they do not begin at
         * multiples of 16 bytes}
         */
        Side aligned(CallScope scope) {
            int lines = 1 - across();
            boolean near = matrix.stride(across()) == 1 || matrix.size(across()) == 1;
            if (near && matrix.at() % EIGHT == 0 && matrix.stride(lines) % EIGHT == 0) {
                return this;
            }
            DeviceTensor from = transposed ? Projection.transposed(matrix) : matrix;
            DeviceTensor room = scope.allocate(from.type(), from.size(0), padded(from.size(1)))
                    .slice(1, 0, from.size(1));
            scope.copy(from, room);
            return new Side(transposed ? Projection.transposed(room) : room, transposed);
        }
    }

    private MatrixProduct(CallScope scope, Side left, Side right, DeviceTensor to, MatrixTiles tiles) {
        this.scope = scope;
        this.left = left;
        this.right = right;
        this.to = to;
        this.tiles = tiles;
    }

    /**
     * {@return the kernel for a product; empty if the portable kernel must compute it} The portable kernel is used if the
     * operands are not both f16 or both bf16, if the result has neither the operands' type nor f32, or if the right operand has
     * fewer than 8 rows or columns. It is also used if the table has no tiles or the kernel failed its self-check.
     */
    static Optional<MatrixProduct> of(CallScope scope, DeviceTensor left, DeviceTensor right, DeviceTensor to) {
        Engine engine = scope.engine;
        MatrixUnits units = engine.matrix();
        if (units == null || !takes(scope, left.type(), right, to)) {
            return Optional.empty();
        }
        return units.tiles(engine.context.device(), "product", to.size(0), to.size(1))
                .map(tiles -> new MatrixProduct(scope, Side.of(left), Side.of(right), to, tiles))
                .filter(product -> units.isRight(
                        "product " + product.options(),
                        () -> engine.options.checks().product(engine, product.form())));
    }

    private static boolean takes(CallScope scope, DType left, DeviceTensor right, DeviceTensor to) {
        return (left == DType.F16 || left == DType.BF16)
                && right.type() == left
                && (to.type() == left || to.type() == DType.F32)
                && !scope.f64
                && Math.min(right.size(0), right.size(1)) >= EIGHT;
    }

    /** {@return the output of the heads, rounded to bf16 if this lets matrix units compute the output projection} */
    public static DeviceTensor roundedForProjection(
            CallScope scope, DeviceTensor rows, DeviceTensor weight, DeviceTensor to) {
        boolean rounded = scope.engine.matrix() != null
                && weight.type() == DType.BF16
                && rows.type() == DType.F32
                && takes(scope, DType.BF16, weight, to);
        return rounded ? scope.converted(rows, DType.BF16) : rows;
    }

    private ProductForm form() {
        return new ProductForm(tiles, left.matrix.type(), to.type(), left.transposed, right.transposed);
    }

    /** {@return the kernel of a form, for the form's self-check; the operands must have the layout of the form} */
    public static MatrixProduct ofForm(
            CallScope scope, ProductForm form, DeviceTensor left, DeviceTensor right, DeviceTensor to) {
        return new MatrixProduct(scope, new Side(left, form.left()), new Side(right, form.right()), to, form.tiles());
    }

    /** {@return the maximum bytes of padded copies of the operands} */
    static long copies(long rows, long columns, long depth) {
        long left = Math.max(rows * padded(depth), padded(rows) * depth);
        long right = Math.max(depth * padded(columns), padded(depth) * columns);
        return (left + right) * Short.BYTES;
    }

    private static long padded(long width) {
        return Math.ceilDiv(width, (long) EIGHT) * EIGHT;
    }

    private String options() {
        return "-DSTORAGE=" + StorageCode.of(left.matrix.type()) + " -DTO=" + StorageCode.of(to.type())
                + (left.transposed ? " -DLEFT_TRANSPOSED=1" : "")
                + (right.transposed ? " -DRIGHT_TRANSPOSED=1" : "")
                + tiles.productOptions()
                + scope.engine.matrixOption();
    }

    public void run(@Nullable DeviceTensor bias, boolean continues) {
        DeviceTensor x = left.aligned(scope).matrix;
        DeviceTensor y = right.aligned(scope).matrix;
        scope.launch(
                "nvidia/product_mma",
                options(),
                "product_mma",
                WorkSize.groups(
                        Math.ceilDiv(to.size(0), tiles.productRows()) * Math.ceilDiv(to.size(1), tiles.dv()),
                        tiles.items()),
                Projection.struct(scope, x, y, to, bias != null, continues),
                x.buffer(),
                y.buffer(),
                to.buffer(),
                bias == null ? scope.nothing() : bias.buffer());
        release(x, left.matrix);
        release(y, right.matrix);
    }

    private void release(DeviceTensor used, DeviceTensor given) {
        if (used.buffer() != given.buffer()) {
            scope.free(used.buffer());
        }
    }
}
