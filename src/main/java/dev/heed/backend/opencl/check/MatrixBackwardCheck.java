package dev.heed.backend.opencl.check;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.kernels.AttentionCall;
import dev.heed.backend.opencl.kernels.BackwardKernels;
import dev.heed.backend.opencl.kernels.MatrixBackward;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The self-check of a form of the backward kernels with one set of tile sizes: compares gradients with the formula in double. In
 * the first problem, all keys are attended. The second has a causal mask, and the last keys are masked and NaN. The third has a
 * single key: the gradients of queries, key and bias are exactly zero if every pass computes products with the same bits.
 */
public final class MatrixBackwardCheck {
    private static final int HEADS = 2; // query heads that share the keys
    private static final int MASKED_KEYS = 3;
    private static final double CAP = 8;

    private final Engine engine;
    private final MatrixTiles ofQueries;
    private final MatrixTiles ofKeys;
    private final MatrixForm form;
    private final int queries;
    private final int keys;
    private final int width;
    private final int valueWidth;
    private final boolean harder;

    private MatrixBackwardCheck(
            Engine engine,
            MatrixTiles ofQueries,
            MatrixTiles ofKeys,
            MatrixForm form,
            int queries,
            int keys,
            boolean harder) {
        this.engine = engine;
        this.ofQueries = ofQueries;
        this.ofKeys = ofKeys;
        this.form = form;
        this.queries = queries;
        this.keys = keys;
        this.width = form.whole() ? ofKeys.d() : ofKeys.d() - 3;
        this.valueWidth = form.whole() ? ofKeys.dv() : ofKeys.dv() - 5;
        this.harder = harder;
    }

    /** {@return a description of the first wrong result, or null} */
    public static @Nullable String failure(Engine engine, MatrixTiles ofQueries, MatrixTiles ofKeys, MatrixForm form) {
        int rows = Math.max(ofQueries.ownRows(), ofKeys.ownRows());
        int tile = Math.max(ofQueries.keys(), ofKeys.keys());
        return Stream.of(
                        new MatrixBackwardCheck(engine, ofQueries, ofKeys, form, rows, rows, false),
                        new MatrixBackwardCheck(engine, ofQueries, ofKeys, form, rows + 5, rows + tile - 7, true),
                        new MatrixBackwardCheck(engine, ofQueries, ofKeys, form, rows / 2 + 1, 1, false))
                .map(MatrixBackwardCheck::run)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private int attendedKeys() {
        return harder ? keys - MASKED_KEYS : keys;
    }

    private @Nullable String run() {
        var random = new Random(13);
        Tensor query = elements(random, HEADS, queries, width);
        Tensor key = elements(random, 1, keys, width);
        Tensor value = elements(random, 1, keys, valueWidth);
        Tensor outputGradient = elements(random, HEADS, queries, valueWidth);
        Tensor bias = CheckData.elements(random, DType.F32, 1, 1, 1, queries, keys);
        AttentionOptions options = AttentionOptions.DEFAULT;
        if (form.modified()) {
            options = options.withSoftcap(CAP).withBias(bias);
        }
        if (harder) {
            key.slice(2, attendedKeys(), keys).fill(Double.NaN);
            value.slice(2, attendedKeys(), keys).fill(Double.NaN);
            options = options.withMask(Mask.causal().and(Mask.keyLengths((long) attendedKeys())));
        }
        var shape = new AttentionShape(1, HEADS, 1, queries, keys, width, width, valueWidth);
        var expected = new Expected(query, key, value, outputGradient, bias);
        try (var scope = new CallScope(engine, false);
                Arena arena = Arena.ofConfined()) {
            Operands operands = Operands.of(shape, query, key, value, options);
            AttentionCall call = operands.whole(scope);
            if (!call.backwardForm(ofKeys).equals(form)) {
                throw new IllegalStateException("the self-check of " + form + " tests another form: " + call.variant());
            }
            var kernels = new MatrixBackward(
                    call, operands.outputGradient(scope, call.chunk, outputGradient), ofQueries, ofKeys);
            DeviceTensor statistics = BackwardKernels.statistics(scope, shape);
            kernels.read(null, statistics, BackwardKernels.dSinkRows(scope, shape), true, true);
            DeviceTensor dQuery = BackwardKernels.queryGradient(scope, shape);
            kernels.query(dQuery, statistics, true);
            BackwardKernels.KeyGradients gradients = BackwardKernels.keyGradients(scope, shape);
            kernels.keys(gradients, statistics, true);
            DeviceTensor cells = scope.allocate(DType.F32, queries, keys);
            if (form.modified()) {
                kernels.scores(cells.buffer(), statistics, HEADS - 1);
            }
            return Stream.of(
                            compare("dQ", expected.dQuery, expected.querySizes, scope, arena, dQuery),
                            compare("dK", expected.dKey, expected.keySizes, scope, arena, gradients.key()),
                            compare("dV", expected.dValue, expected.valueSizes, scope, arena, gradients.value()),
                            form.modified()
                                    ? compare("dBias", expected.dBias, expected.biasSizes, scope, arena, cells)
                                    : null)
                    .filter(Objects::nonNull)
                    .findFirst()
                    .orElse(null);
        }
    }

    /** Compares a gradient with the formula. With one key, each weight is 1, so all gradients but dV must be exactly zero. */
    private @Nullable String compare(
            String name, double[] truth, double[] sizes, CallScope scope, Arena arena, DeviceTensor gradient) {
        double step = form.type() == DType.F16 ? 0x1p-9 : 0x1p-6;
        double[] elements = CheckData.read(scope, arena, gradient);
        for (int x = 0; x < elements.length; x++) {
            double allowed = keys == 1 && !name.equals("dV") ? 0 : step * (sizes[x] + Math.abs(truth[x]));
            if (!(Math.abs(truth[x] - elements[x]) <= allowed)) {
                return name + " of " + Arrays.toString(gradient.shape()) + " " + form + " at " + x + ": expected "
                        + truth[x] + ", got " + elements[x];
            }
        }
        return null;
    }

    private Tensor elements(Random random, int heads, int rows, int columns) {
        return CheckData.elements(random, form.type(), 1, 1, heads, rows, columns);
    }

    /** The gradients by the formula, and for each element of a gradient the sum of the absolute values of the terms in it. */
    private final class Expected {
        final double[] dQuery = new double[HEADS * queries * width];
        final double[] querySizes = new double[dQuery.length];
        final double[] dKey = new double[keys * width];
        final double[] keySizes = new double[dKey.length];
        final double[] dValue = new double[keys * valueWidth];
        final double[] valueSizes = new double[dValue.length];

        /** The gradients of the modified scores of the last query head, {@code [queries, keys]}. */
        final double[] dBias = new double[queries * keys];

        final double[] biasSizes = new double[dBias.length];
        private final double[] q;
        private final double[] k;
        private final double[] v;
        private final double[] g;
        private final double[] b;

        Expected(Tensor query, Tensor key, Tensor value, Tensor outputGradient, Tensor bias) {
            q = query.toDoubleArray();
            k = key.toDoubleArray();
            v = value.toDoubleArray();
            g = outputGradient.toDoubleArray();
            b = bias.toDoubleArray();
            for (int row = 0; row < HEADS * queries; row++) {
                int attended = harder ? Math.clamp(row % queries + 1 + keys - queries, 0, attendedKeys()) : keys;
                row(row, attended);
            }
        }

        private void row(int row, int attended) {
            int cell = row % queries * keys;
            double scale = 1 / Math.sqrt(width);
            double[] p = new double[attended];
            double[] scoreDerivative = new double[attended];
            double[] dp = new double[attended];
            double sum = 0;
            for (int j = 0; j < attended; j++) {
                double s = scale * dot(q, row, k, j, width);
                double t = Math.tanh(s / CAP);
                p[j] = Math.exp(form.modified() ? CAP * t + b[cell + j] : s);
                scoreDerivative[j] = scale * (form.modified() ? 1 - t * t : 1);
                dp[j] = dot(g, row, v, j, valueWidth);
                sum += p[j];
            }
            double delta = 0;
            for (int j = 0; j < attended; j++) {
                p[j] /= sum;
                delta += p[j] * dp[j];
            }
            for (int j = 0; j < attended; j++) {
                double ds = keys == 1 ? 0 : p[j] * (dp[j] - delta);
                double size = p[j] * (Math.abs(dp[j]) + Math.abs(delta));
                if (row >= (HEADS - 1) * queries) {
                    dBias[cell + j] = ds;
                    biasSizes[cell + j] = size;
                }
                ds *= scoreDerivative[j];
                size *= scoreDerivative[j];
                for (int d = 0; d < width; d++) {
                    dQuery[row * width + d] += ds * k[j * width + d];
                    querySizes[row * width + d] += size * Math.abs(k[j * width + d]);
                    dKey[j * width + d] += ds * q[row * width + d];
                    keySizes[j * width + d] += size * Math.abs(q[row * width + d]);
                }
                for (int d = 0; d < valueWidth; d++) {
                    dValue[j * valueWidth + d] += p[j] * g[row * valueWidth + d];
                    valueSizes[j * valueWidth + d] += p[j] * Math.abs(g[row * valueWidth + d]);
                }
            }
        }
    }

    private static double dot(double[] a, int rowOfA, double[] b, int rowOfB, int width) {
        double sum = 0;
        for (int d = 0; d < width; d++) {
            sum += a[rowOfA * width + d] * b[rowOfB * width + d];
        }
        return sum;
    }
}
