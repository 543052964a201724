package dev.heed.backend.opencl;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The first task of the matrix units in a backward pass: gradients that the formula gives in double. Once full, of whole
 * tiles; once causal with first rows that see nothing, with odd widths and a softcap, the last keys, which no query sees,
 * being NaN; once with a single key, where the gradients of query and key are exactly zero if every pass computes a product
 * with the same bits.
 */
final class MatrixBackwardCheck {
    private static final int HEADS = 2; // share the keys
    private static final int HIDDEN = 3;
    private static final double CAP = 8;

    private final Engine engine;
    private final DType type;
    private final int queries;
    private final int keys;
    private final int width;
    private final int valueWidth;
    private final boolean harder;

    private MatrixBackwardCheck(
            Engine engine, DType type, int queries, int keys, int width, int valueWidth, boolean harder) {
        this.engine = engine;
        this.type = type;
        this.queries = queries;
        this.keys = keys;
        this.width = width;
        this.valueWidth = valueWidth;
        this.harder = harder;
    }

    /** {@return what the device got wrong, or nothing} */
    static Optional<String> failure(Engine engine, MatrixTiles ofQueries, MatrixTiles ofKeys, DType type) {
        int d = ofKeys.d();
        int dv = ofKeys.dv();
        int rows = Math.max(ofQueries.ownRows(), ofKeys.ownRows());
        int tile = Math.max(ofQueries.keys(), ofKeys.keys());
        var tasks = new MatrixBackwardCheck[] {
            new MatrixBackwardCheck(engine, type, rows, rows, d, dv, false),
            new MatrixBackwardCheck(engine, type, rows + 5, rows + tile - 7, d - 3, dv - 5, true),
            new MatrixBackwardCheck(engine, type, rows / 2 + 1, 1, d, dv, false)
        };
        try {
            for (MatrixBackwardCheck task : tasks) {
                String wrong = task.run();
                if (wrong != null) {
                    return Optional.of(wrong);
                }
            }
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString()));
        }
    }

    private int seenKeys() {
        return harder ? keys - HIDDEN : keys;
    }

    private @Nullable String run() {
        var random = new Random(13);
        Tensor query = numbers(random, HEADS, queries, width);
        Tensor key = numbers(random, 1, keys, width);
        Tensor value = numbers(random, 1, keys, valueWidth);
        Tensor flows = numbers(random, HEADS, queries, valueWidth);
        AttentionOptions options = AttentionOptions.DEFAULT;
        if (harder) {
            poison(key, width);
            poison(value, valueWidth);
            options = options.withMask(Mask.causal().and(Mask.keyLengths((long) seenKeys())))
                    .withSoftcap(CAP);
        }
        AttentionInputs inputs = AttentionInputs.of(query, key, value, options);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        try (var plan = new OpenClAttention(inputs.problem(), engine)) {
            plan.backward(inputs, result, flows, null, gradients);
        }
        var expected = new Expected(query, key, value, flows);
        String wrong = compare("dQ", expected.dQuery, expected.querySizes, gradients.query());
        wrong = wrong == null ? compare("dK", expected.dKey, expected.keySizes, gradients.key()) : wrong;
        return wrong == null ? compare("dV", expected.dValue, expected.valueSizes, gradients.value()) : wrong;
    }

    private void poison(Tensor rows, int columns) {
        for (int x = seenKeys() * columns; x < keys * columns; x++) {
            rows.put(x, Double.NaN);
        }
    }

    /** Where there is one key, a weight is 1 and the scores' gradients cancel to nothing, exactly. */
    private @Nullable String compare(String name, double[] truth, double[] sizes, Tensor got) {
        double step = type == DType.F16 ? 0x1p-9 : 0x1p-6;
        double[] numbers = got.toDoubleArray();
        for (int x = 0; x < numbers.length; x++) {
            double allowed = keys == 1 && !name.equals("dV") ? 0 : step * (sizes[x] + Math.abs(truth[x]));
            if (!(Math.abs(truth[x] - numbers[x]) <= allowed)) {
                return name + " of " + Arrays.toString(got.shape()) + " at " + x + ": expected " + truth[x] + ", got "
                        + numbers[x];
            }
        }
        return null;
    }

    private Tensor numbers(Random random, int heads, int rows, int columns) {
        float[] numbers = new float[heads * rows * columns];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Tensor.of(numbers, 1, heads, rows, columns).to(type);
    }

    /** The formula, and beside each gradient the sum of the sizes of what is added up in it. */
    private final class Expected {
        final double[] dQuery = new double[HEADS * queries * width];
        final double[] querySizes = new double[dQuery.length];
        final double[] dKey = new double[keys * width];
        final double[] keySizes = new double[dKey.length];
        final double[] dValue = new double[keys * valueWidth];
        final double[] valueSizes = new double[dValue.length];

        Expected(Tensor query, Tensor key, Tensor value, Tensor flows) {
            double[] q = query.toDoubleArray();
            double[] k = key.toDoubleArray();
            double[] v = value.toDoubleArray();
            double[] g = flows.toDoubleArray();
            for (int row = 0; row < HEADS * queries; row++) {
                int seen = harder ? Math.clamp(row % queries + 1 + keys - queries, 0, seenKeys()) : keys;
                row(q, k, v, g, row, seen);
            }
        }

        private void row(double[] q, double[] k, double[] v, double[] g, int row, int seen) {
            double scale = 1 / Math.sqrt(width);
            double[] p = new double[seen];
            double[] back = new double[seen];
            double[] dp = new double[seen];
            double sum = 0;
            for (int j = 0; j < seen; j++) {
                double s = scale * dot(q, row, k, j, width);
                double t = Math.tanh(s / CAP);
                p[j] = Math.exp(harder ? CAP * t : s);
                back[j] = scale * (harder ? 1 - t * t : 1);
                dp[j] = dot(g, row, v, j, valueWidth);
                sum += p[j];
            }
            double delta = 0;
            for (int j = 0; j < seen; j++) {
                p[j] /= sum;
                delta += p[j] * dp[j];
            }
            for (int j = 0; j < seen; j++) {
                double ds = keys == 1 ? 0 : p[j] * (dp[j] - delta) * back[j];
                double size = p[j] * (Math.abs(dp[j]) + Math.abs(delta)) * back[j];
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
