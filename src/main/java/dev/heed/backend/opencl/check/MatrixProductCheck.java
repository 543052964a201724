package dev.heed.backend.opencl.check;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.ProductForm;
import dev.heed.backend.opencl.product.MatrixProduct;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The self-check of a product on matrix units: compares the result with sums in double. The problem needs more than one
 * work-group in both directions, does not fill whole tiles, uses each buffer for slices at least twice, and has a bias. The
 * product is added to the initial contents of the result.
 */
final class MatrixProductCheck {
    private static final int ROWS_OVER = 5;
    private static final int COLUMNS_OVER = 9;
    private static final double SUM_TOLERANCE = 1e-5;

    private MatrixProductCheck() {}

    /** {@return a description of the first wrong result, or null} */
    static @Nullable String failure(Engine engine, ProductForm form) {
        var random = new Random(13);
        int rows = form.rows() + ROWS_OVER;
        int columns = form.columns() + COLUMNS_OVER;
        int depth = 2 * form.tiles().stages() * form.tiles().d() + 3;
        Tensor left = elements(random, form.type(), form.left(), rows, depth);
        Tensor right = elements(random, form.type(), form.right(), depth, columns);
        Tensor bias = elements(random, DType.F32, false, 1, columns);
        Tensor before = elements(random, form.to(), false, rows, columns);
        double[] a = left.toDoubleArray();
        double[] b = right.toDoubleArray();
        double[] added = bias.toDoubleArray();
        double[] was = before.toDoubleArray();
        double[] got;
        try (var scope = new CallScope(engine, false);
                Arena arena = Arena.ofConfined()) {
            DeviceTensor x = scope.upload(left);
            DeviceTensor y = scope.upload(right);
            DeviceTensor to = scope.upload(before);
            MatrixProduct.ofForm(
                            scope,
                            form,
                            form.left() ? Projection.transposed(x) : x,
                            form.right() ? Projection.transposed(y) : y,
                            to)
                    .run(scope.upload(bias), true);
            got = CheckData.read(scope, arena, to);
        }
        double step = form.to() == DType.F32 ? 0 : form.to() == DType.F16 ? 0x1p-11 : 0x1p-8;
        for (int m = 0; m < rows; m++) {
            for (int n = 0; n < columns; n++) {
                double expected = was[m * columns + n] + added[n];
                double size = Math.abs(was[m * columns + n]) + Math.abs(added[n]);
                for (int k = 0; k < depth; k++) {
                    double term = (form.left() ? a[k * rows + m] : a[m * depth + k])
                            * (form.right() ? b[n * depth + k] : b[k * columns + n]);
                    expected += term;
                    size += Math.abs(term);
                }
                double is = got[m * columns + n];
                if (!(Math.abs(expected - is) <= step * Math.abs(expected) + SUM_TOLERANCE * size)) {
                    return "product of " + form + " at " + m + ", " + n + ": expected " + expected + ", got " + is;
                }
            }
        }
        return null;
    }

    private static Tensor elements(Random random, DType type, boolean transposed, int rows, int columns) {
        return CheckData.elements(random, type, 1, transposed ? columns : rows, transposed ? rows : columns);
    }
}
