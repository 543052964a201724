package dev.heed.backend.opencl.check;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixProbe;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.kernels.AttentionCall;
import dev.heed.backend.opencl.kernels.ForwardKernels;
import dev.heed.backend.opencl.kernels.MatrixDecode;
import dev.heed.backend.opencl.kernels.MatrixPrefill;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The self-check of a form of the forward kernels with one set of tile sizes: compares the output and LSE of two attentions with
 * the formula in double. The second, harder one has a causal mask, and the last keys are masked and their values are NaN.
 * For f32, the formula uses inputs rounded to tf32, because matrix units round them.
 */
public final class MatrixCheck {
    private static final int KV_HEADS = 2;
    private static final int MASKED_KEYS = 3;
    private static final double CAP = 8;
    private static final double LSE_TOLERANCE = 1e-4;

    /** Query heads per key/value head in decode. */
    private static final int GROUP = 3;

    /** Queries per head in decode. */
    private static final int FEW_QUERIES = 5;

    /** Launches the kernels that are checked. */
    private interface Kernels {
        void run(AttentionCall call, DeviceTensor output, ForwardKernels.Statistics to);
    }

    private final Engine engine;
    private final MatrixTiles tiles;
    private final MatrixForm form;
    private final int group;
    private final Kernels kernels;

    private MatrixCheck(Engine engine, MatrixTiles tiles, MatrixForm form, int group, Kernels kernels) {
        this.engine = engine;
        this.tiles = tiles;
        this.form = form;
        this.group = group;
        this.kernels = kernels;
    }

    /** {@return a description of the first wrong result of a prefill, or null} */
    public static @Nullable String ofPrefill(Engine engine, MatrixTiles tiles, MatrixForm form) {
        var check = new MatrixCheck(
                engine, tiles, form, 1, (call, output, to) -> new MatrixPrefill(call, tiles).run(output, to));
        String wrong = check.run(tiles.rows() + 16, 3 * tiles.keys(), false);
        return wrong == null ? check.run(tiles.rows() + 5, 2 * tiles.keys() + 7, true) : wrong;
    }

    /** {@return a description of the first wrong result of a decode, or null} */
    public static @Nullable String ofDecode(Engine engine, MatrixTiles tiles, MatrixForm form) {
        var check = new MatrixCheck(
                engine, tiles, form, GROUP, (call, output, to) -> new MatrixDecode(call, tiles).run(output, to));
        String wrong = check.run(FEW_QUERIES, 5 * tiles.keys(), false);
        return wrong == null ? check.run(FEW_QUERIES, 2 * tiles.keys() + 7, true) : wrong;
    }

    private @Nullable String run(int queries, int keys, boolean harder) {
        int blocks = tiles.d() < 2 * tiles.dv() ? 1 : 2; // blocks of value columns; each needs a work-group
        int width = form.whole() ? tiles.d() : tiles.d() - 3;
        int valueWidth = blocks * tiles.dv() - (form.whole() ? 0 : 5);
        var shape = new AttentionShape(1, KV_HEADS * group, KV_HEADS, queries, keys, width, width, valueWidth);
        var random = new Random(11);
        double scale = 1 / Math.sqrt(width);
        Tensor query =
                CheckData.elements(random, form.type(), form.folded() ? 1 : scale, 1, shape.numHeads(), queries, width);
        Tensor key = CheckData.elements(random, form.type(), 1, 1, KV_HEADS, keys, width);
        Tensor value = CheckData.elements(random, form.type(), 1, 1, KV_HEADS, keys, valueWidth);
        Tensor bias = CheckData.elements(random, DType.F32, 1, 1, 1, queries, keys);
        AttentionOptions options = AttentionOptions.DEFAULT.withLse();
        if (!form.folded()) {
            options = options.withScore(ScoreFunction.dot());
        }
        if (form.modified()) {
            options = options.withSoftcap(CAP).withBias(bias);
        }
        int attendedKeys = harder ? keys - MASKED_KEYS : keys;
        if (harder) {
            for (int n = 0; n < KV_HEADS; n++) {
                value.slice(1, n, n + 1).slice(2, attendedKeys, keys).fill(Double.NaN);
            }
            options = options.withMask(Mask.causal().and(Mask.keyLengths((long) attendedKeys)));
        }
        double[] out;
        double[] lse;
        try (var scope = new CallScope(engine, false);
                Arena arena = Arena.ofConfined()) {
            AttentionCall call = Operands.of(shape, query, key, value, options).whole(scope);
            if (!call.forwardForm(tiles).equals(form)) {
                throw new IllegalStateException("the self-check of " + form + " tests another form: " + call.variant());
            }
            DeviceTensor output = scope.allocate(form.type(), 1, shape.numHeads(), queries, valueWidth);
            ForwardKernels.Statistics statistics = ForwardKernels.statistics(scope, shape);
            kernels.run(call, output, statistics);
            out = CheckData.read(scope, arena, output);
            lse = CheckData.read(scope, arena, statistics.lse());
        }
        double[] q = factors(query);
        double[] k = factors(key);
        double[] v = factors(value);
        double[] b = bias.toDoubleArray();
        double step = form.type() == DType.BF16 ? 0x1p-7 : 0x1p-10;
        for (int row = 0; row < shape.numHeads() * queries; row++) {
            int i = row % queries;
            int of = row / queries / group;
            int attended = harder ? Math.clamp(i + 1 + keys - queries, 0, attendedKeys) : keys;
            double[] p = new double[attended];
            double sum = 0;
            for (int j = 0; j < attended; j++) {
                double s = 0;
                for (int d = 0; d < width; d++) {
                    s += q[row * width + d] * k[(of * keys + j) * width + d];
                }
                s *= form.folded() ? scale : 1;
                p[j] = Math.exp(form.modified() ? CAP * Math.tanh(s / CAP) + b[i * keys + j] : s);
                sum += p[j];
            }
            double expectedLse = Math.log(sum);
            if (!(expectedLse == lse[row] || Math.abs(expectedLse - lse[row]) <= LSE_TOLERANCE)) {
                return wrong("LSE", shape, row, expectedLse, lse[row]);
            }
            for (int d = 0; d < valueWidth; d++) {
                double expected = 0;
                double size = 0;
                for (int j = 0; j < attended; j++) {
                    double term = p[j] / sum * v[(of * keys + j) * valueWidth + d];
                    expected += term;
                    size += Math.abs(term);
                }
                double got = out[row * valueWidth + d];
                if (!(Math.abs(expected - got) <= step * (size + Math.abs(expected)))) {
                    return wrong("output", shape, row * valueWidth + d, expected, got);
                }
            }
        }
        return null;
    }

    private static double[] factors(Tensor tensor) {
        double[] elements = tensor.toDoubleArray();
        if (tensor.type() == DType.F32) {
            Arrays.setAll(elements, i -> MatrixProbe.tf32((float) elements[i]));
        }
        return elements;
    }

    private String wrong(String name, AttentionShape shape, int at, double expected, double got) {
        return name + " of " + shape + " " + form + " at " + at + ": expected " + expected + ", got " + got;
    }
}
