package dev.heed.cli.bench;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A check of some rows of a large attention result against the formula in double precision: output, LSE and query
 * gradient of a few queries, and the key and value gradients of a few keys. The expected gradients are computed from
 * the output of the device, and the expected key and value gradients also from its LSE.
 */
final class SampleCheck {
    private static final int ROWS = 6;
    private static final int KEYS = 4;
    private static final double LSE_TOLERANCE = 1e-4;
    private static final double TF32_LSE_TOLERANCE = 4e-3;

    /** Tolerance factor for gradients, whose terms are products of values that were already rounded twice. */
    private static final double BACKWARD_FACTOR = 4;

    private final AttentionProblem problem;
    private final AttentionShape shape;
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final Tensor output;
    private final Tensor lse;
    private final double step;
    private final double scale;

    SampleCheck(AttentionInputs inputs, Tensor query, Tensor key, Tensor value, AttentionResult result) {
        this.problem = inputs.problem();
        this.shape = problem.shape();
        this.query = query;
        this.key = key;
        this.value = value;
        this.output = result.output().toHost();
        this.lse = Objects.requireNonNull(result.lse()).toHost();
        this.step =
                problem.type() == DType.F16 || problem.tf32() ? 0x1p-9 : problem.type() == DType.BF16 ? 0x1p-7 : 1e-5;
        this.scale = 1 / Math.sqrt(shape.headDim());
    }

    /** {@return the first error in the output or the LSE; empty if there is none} */
    Optional<String> forward() {
        var random = new SplittableRandom(5);
        for (int n = 0; n < ROWS; n++) {
            var row = new Row(random, n == 0);
            String wrong = wrong("LSE", row.logSum, lse.get(row.b, row.h, row.i), row.tolerance());
            double[] expected = new double[(int) shape.valueHeadDim()];
            double[] size = new double[expected.length];
            for (int j = 0; j < row.p.length; j++) {
                for (int d = 0; d < expected.length; d++) {
                    double term = row.p[j] * value.get(row.b, row.kv, j, d);
                    expected[d] += term;
                    size[d] += Math.abs(term);
                }
            }
            for (int d = 0; d < expected.length && wrong == null; d++) {
                double allowed = step * (size[d] + Math.abs(expected[d]));
                wrong = wrong("output", expected[d], output.get(row.b, row.h, row.i, d), allowed);
            }
            if (wrong != null) {
                return Optional.of(wrong + " of " + row);
            }
        }
        return Optional.empty();
    }

    /** {@return the first error in the gradients; empty if there is none} */
    Optional<String> backward(Tensor outputGradient, AttentionGradients gradients) {
        var random = new SplittableRandom(6);
        Tensor dQuery = gradients.query().toHost();
        Tensor dKey = gradients.key().toHost();
        Tensor dValue = gradients.value().toHost();
        for (int n = 0; n < ROWS; n++) {
            var row = new Row(random, n == 0);
            double delta = dot(outputGradient, output, row.b, row.h, row.i, row.h, row.i, shape.valueHeadDim());
            var sum = new Sum((int) shape.headDim());
            for (int j = 0; j < row.p.length; j++) {
                double dP = dot(outputGradient, value, row.b, row.h, row.i, row.kv, j, shape.valueHeadDim());
                sum.add(row.p[j] * (dP - delta) * scale, row.p[j] * scale, key, row.b, row.kv, j);
            }
            String wrong = sum.wrong("query gradient", dQuery, row.b, row.h, row.i);
            if (wrong != null) {
                return Optional.of(wrong + " of " + row);
            }
        }
        for (int n = 0; n < KEYS; n++) {
            long b = random.nextLong(shape.batch());
            long kv = random.nextLong(shape.numKvHeads());
            long j = n == 0 ? 0 : random.nextLong(shape.seqLenKv());
            var keySum = new Sum((int) shape.headDim());
            var valueSum = new Sum((int) shape.valueHeadDim());
            for (long h = kv * shape.groupSize(); h < (kv + 1) * shape.groupSize(); h++) {
                for (long i = 0; i < shape.seqLenQ(); i++) {
                    if (j >= attended(i)) {
                        continue;
                    }
                    double p = Math.exp(scale * dot(query, key, b, h, i, kv, j, shape.headDim()) - lse.get(b, h, i));
                    double delta = dot(outputGradient, output, b, h, i, h, i, shape.valueHeadDim());
                    double dP = dot(outputGradient, value, b, h, i, kv, j, shape.valueHeadDim());
                    valueSum.add(p, p, outputGradient, b, h, i);
                    keySum.add(p * (dP - delta) * scale, p * scale, query, b, h, i);
                }
            }
            String wrong = keySum.wrong("key gradient", dKey, b, kv, j);
            wrong = wrong == null ? valueSum.wrong("value gradient", dValue, b, kv, j) : wrong;
            if (wrong != null) {
                return Optional.of(wrong + " of batch " + b + ", key/value head " + kv + ", key " + j);
            }
        }
        return Optional.empty();
    }

    private long attended(long i) {
        boolean causal = !problem.maskPattern().equals("none");
        return causal ? Math.clamp(i + 1 + shape.seqLenKv() - shape.seqLenQ(), 0, shape.seqLenKv()) : shape.seqLenKv();
    }

    private static double dot(Tensor x, Tensor y, long b, long xh, long xi, long yh, long yi, long width) {
        double sum = 0;
        for (long d = 0; d < width; d++) {
            sum += x.get(b, xh, xi, d) * y.get(b, yh, yi, d);
        }
        return sum;
    }

    private static @Nullable String wrong(String name, double expected, double got, double allowed) {
        return expected == got || Math.abs(expected - got) <= allowed
                ? null
                : String.format(Locale.ROOT, "%s is %.6g, expected %.6g within %.2g,", name, got, expected, allowed);
    }

    /** One query of a head, with the weights of the keys that it attends to. */
    private final class Row {
        final long b;
        final long h;
        final long i;
        final long kv;
        final double[] p;
        final double logSum;

        Row(SplittableRandom random, boolean last) {
            b = random.nextLong(shape.batch());
            h = random.nextLong(shape.numHeads());
            i = last ? shape.seqLenQ() - 1 : random.nextLong(shape.seqLenQ());
            kv = h / shape.groupSize();
            p = new double[(int) attended(i)];
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < p.length; j++) {
                p[j] = scale * dot(query, key, b, h, i, kv, j, shape.headDim());
                largest = Math.max(largest, p[j]);
            }
            double sum = 0;
            for (int j = 0; j < p.length; j++) {
                p[j] = Math.exp(p[j] - largest);
                sum += p[j];
            }
            for (int j = 0; j < p.length; j++) {
                p[j] /= sum;
            }
            logSum = largest + Math.log(sum);
        }

        double tolerance() {
            return problem.tf32() ? TF32_LSE_TOLERANCE : LSE_TOLERANCE;
        }

        @Override
        public String toString() {
            return "batch " + b + ", head " + h + ", query " + i;
        }
    }

    /** A weighted sum of rows, with the sum of the absolute values of its terms. */
    private final class Sum {
        private final double[] total;
        private final double[] size;

        Sum(int width) {
            total = new double[width];
            size = new double[width];
        }

        /**
         * Adds {@code factor} times a row. The sum of absolute values uses at least {@code weight} as the factor,
         * because a factor that cancels to 0 still contains the rounding errors of its operands.
         */
        void add(double factor, double weight, Tensor rows, long b, long h, long i) {
            for (int d = 0; d < total.length; d++) {
                double number = rows.get(b, h, i, d);
                total[d] += factor * number;
                size[d] += Math.max(Math.abs(factor), weight) * Math.abs(number);
            }
        }

        @Nullable
        String wrong(String name, Tensor got, long b, long h, long i) {
            String wrong = null;
            for (int d = 0; d < total.length && wrong == null; d++) {
                double allowed = BACKWARD_FACTOR * step * (size[d] + Math.abs(total[d]));
                wrong = SampleCheck.wrong(name, total[d], got.get(b, h, i, d), allowed);
            }
            return wrong;
        }
    }
}
