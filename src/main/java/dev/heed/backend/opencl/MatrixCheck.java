package dev.heed.backend.opencl;

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
 * The first task of the matrix units with one shape of tiles: two attentions, whose output and LSE the formula gives in
 * double. One is full, of whole tiles; one is causal with first rows that see nothing, has odd widths and a softcap, and the
 * values of its last keys, which no query sees, are NaN. For f32 the formula starts from numbers rounded to tf32, as the units
 * round them.
 */
final class MatrixCheck {
    private static final int HEADS = 2;
    private static final double CAP = 8;
    private static final double LSE_TOLERANCE = 1e-4;

    private MatrixCheck() {}

    /** {@return what the device got wrong, or nothing} */
    static Optional<String> failure(Engine engine, MatrixTiles tiles, DType type) {
        return failure(engine, tiles, type, tiles.rows() + 5, 1);
    }

    /** The same with so many queries in the harder one, and so many heads for each of the keys'. */
    static Optional<String> failure(Engine engine, MatrixTiles tiles, DType type, int queries, int group) {
        try {
            int all = group == 1 ? tiles.rows() + 16 : queries;
            String wrong =
                    check(engine, type, all, group, (group == 1 ? 3 : 5) * tiles.keys(), tiles.d(), tiles.dv(), false);
            return Optional.ofNullable(
                    wrong == null
                            ? check(
                                    engine,
                                    type,
                                    queries,
                                    group,
                                    2 * tiles.keys() + 7,
                                    tiles.d() - 3,
                                    tiles.dv() - 5,
                                    true)
                            : wrong);
        } catch (RuntimeException e) {
            return Optional.of(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString()));
        }
    }

    private static @Nullable String check(
            Engine engine, DType type, int queries, int group, int keys, int width, int valueWidth, boolean harder) {
        var random = new Random(11);
        Tensor query = numbers(random, type, HEADS * group, queries, width);
        Tensor key = numbers(random, type, HEADS, keys, width);
        Tensor value = numbers(random, type, HEADS, keys, valueWidth);
        AttentionOptions options = AttentionOptions.DEFAULT.withLse();
        int seenKeys = keys;
        if (harder) {
            seenKeys = keys - 3;
            for (int n = 0; n < HEADS; n++) {
                for (int j = seenKeys; j < keys; j++) {
                    for (int d = 0; d < valueWidth; d++) {
                        value.put(((long) n * keys + j) * valueWidth + d, Double.NaN);
                    }
                }
            }
            options = options.withMask(Mask.causal().and(Mask.keyLengths((long) seenKeys)))
                    .withSoftcap(CAP);
        }
        boolean tf32 = type == DType.F32;
        options = tf32 ? options.withTf32() : options;
        AttentionInputs inputs = AttentionInputs.of(query, key, value, options);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (var plan = new OpenClAttention(inputs.problem(), engine)) {
            plan.forward(inputs, result);
        }
        double[] q = factors(query);
        double[] k = factors(key);
        double[] v = factors(value);
        double[] out = result.output().toDoubleArray();
        Tensor kept = result.lse();
        double[] lse = kept == null ? new double[0] : kept.toDoubleArray();
        double step = type == DType.BF16 ? 0x1p-7 : 0x1p-10;
        for (int n = 0; n < HEADS * group; n++) {
            for (int i = 0; i < queries; i++) {
                int of = n / group;
                int seen = harder ? Math.clamp(i + 1 + keys - queries, 0, seenKeys) : keys;
                double[] p = new double[seen];
                double sum = 0;
                for (int j = 0; j < seen; j++) {
                    double s = 0;
                    for (int d = 0; d < width; d++) {
                        s += q[(n * queries + i) * width + d] * k[(of * keys + j) * width + d];
                    }
                    s /= Math.sqrt(width);
                    p[j] = Math.exp(harder ? CAP * Math.tanh(s / CAP) : s);
                    sum += p[j];
                }
                int row = n * queries + i;
                double expectedLse = Math.log(sum);
                if (!(expectedLse == lse[row] || Math.abs(expectedLse - lse[row]) <= LSE_TOLERANCE)) {
                    return wrong("LSE", inputs, row, expectedLse, lse[row]);
                }
                for (int d = 0; d < valueWidth; d++) {
                    double expected = 0;
                    double size = 0;
                    for (int j = 0; j < seen; j++) {
                        double term = p[j] / sum * v[(of * keys + j) * valueWidth + d];
                        expected += term;
                        size += Math.abs(term);
                    }
                    double got = out[row * valueWidth + d];
                    if (!(Math.abs(expected - got) <= step * (size + Math.abs(expected)))) {
                        return wrong("output", inputs, row * valueWidth + d, expected, got);
                    }
                }
            }
        }
        return null;
    }

    private static double[] factors(Tensor tensor) {
        double[] numbers = tensor.toDoubleArray();
        if (tensor.type() == DType.F32) {
            Arrays.setAll(numbers, i -> MatrixProbe.tf32((float) numbers[i]));
        }
        return numbers;
    }

    private static String wrong(String name, AttentionInputs inputs, int at, double expected, double got) {
        return name + " of " + inputs.problem() + " at " + at + ": expected " + expected + ", got " + got;
    }

    private static Tensor numbers(Random random, DType type, int heads, int rows, int width) {
        float[] numbers = new float[heads * rows * width];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Tensor.of(numbers, 1, heads, rows, width).to(type);
    }
}
