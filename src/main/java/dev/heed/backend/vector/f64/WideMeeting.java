package dev.heed.backend.vector.f64;

import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.ParameterSums;
import dev.heed.score.CustomScore;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A pairwise score function in f64 other than the dot product, the counterpart of {@code Meeting}. It is computed one
 * element at a time, with the operations and roundings of the formula as written.
 */
final class WideMeeting {
    /** The contribution of one pair of elements to a score, and its derivatives. */
    private interface Element {
        double score(double parameter, double q, double k);

        /** The derivative with respect to the query's element. */
        double queryDerivative(double parameter, double q, double k);

        /** The derivative with respect to the key's element. */
        double keyDerivative(double parameter, double q, double k);

        /** The term that is summed for the parameter's gradient. */
        double parameterDerivative(double q, double k);
    }

    private final AttentionShape shape;
    private final @Nullable Element element;
    private final double[] parameter;
    private final int parameterWidth;
    private final @Nullable CustomScore score;
    private final CustomScore.@Nullable Gradient gradient;

    private WideMeeting(
            AttentionShape shape,
            @Nullable Element element,
            double[] parameter,
            int parameterWidth,
            ScoreFunction.@Nullable Custom custom) {
        this.shape = shape;
        this.element = element;
        this.parameter = parameter;
        this.parameterWidth = parameterWidth;
        this.score = custom == null ? null : custom.score();
        this.gradient = custom == null ? null : custom.gradient();
    }

    static @Nullable WideMeeting of(ScoreFunction score, AttentionShape shape) {
        return switch (score) {
            case ScoreFunction.Dot ignored -> null;
            case ScoreFunction.ScaledDot ignored -> null;
            case ScoreFunction.Additive f ->
                new WideMeeting(shape, new Tangent(), f.vector().toDoubleArray(), (int) shape.headDim(), null);
            case ScoreFunction.Gaussian f ->
                new WideMeeting(
                        shape,
                        new Square(),
                        f.widths() == null
                                ? new double[] {f.width()}
                                : f.widths().toDoubleArray(),
                        1,
                        null);
            case ScoreFunction.Custom f -> new WideMeeting(shape, null, new double[0], 1, f);
            default -> throw new IllegalStateException(score.pattern() + " must be rewritten before this call");
        };
    }

    /** The term of the additive score: {@code v tanh(q + k)}. */
    private static final class Tangent implements Element {
        @Override
        public double score(double v, double q, double k) {
            return v * Math.tanh(q + k);
        }

        @Override
        public double queryDerivative(double v, double q, double k) {
            double t = Math.tanh(q + k);
            return v * (1 - t * t);
        }

        @Override
        public double keyDerivative(double v, double q, double k) {
            return queryDerivative(v, q, k);
        }

        @Override
        public double parameterDerivative(double q, double k) {
            return Math.tanh(q + k);
        }
    }

    /** The term of the Gaussian score: {@code -w^2 (q - k)^2 / 2}. */
    private static final class Square implements Element {
        @Override
        public double score(double w, double q, double k) {
            return -w * w * ((q - k) * (q - k)) / 2;
        }

        @Override
        public double queryDerivative(double w, double q, double k) {
            return -w * w * (q - k);
        }

        @Override
        public double keyDerivative(double w, double q, double k) {
            return w * w * (q - k);
        }

        @Override
        public double parameterDerivative(double q, double k) {
            return (q - k) * (q - k);
        }
    }

    private double parameter(long head, int d) {
        int at = parameter.length == parameterWidth ? 0 : (int) head * parameterWidth;
        return parameter[at + (parameterWidth == 1 ? 0 : d)];
    }

    /** Computes the scores of a tile; skips cells that are already minus infinity. */
    void scores(long head, F64Rows rows, int keys, double[] packed, double[] tile, int at, int lanes, int queries) {
        double[][] row = new double[queries][];
        for (int i = 0; i < queries; i++) {
            row[i] = row(packed, i, lanes, (int) shape.headDim());
        }
        for (int j = 0; j < keys; j++) {
            double[] key = row(rows.data, rows.at + j * rows.step, 1, (int) shape.keyHeadDim());
            for (int i = 0; i < queries; i++) {
                int cell = at + j * lanes + i;
                if (tile[cell] != Double.NEGATIVE_INFINITY) {
                    tile[cell] = score(head, row[i], key);
                }
            }
        }
    }

    private double score(long head, double[] query, double[] key) {
        if (score != null) {
            return score.score(query, key);
        }
        double sum = 0;
        for (int d = 0; element != null && d < query.length; d++) {
            sum += element.score(parameter(head, d), query[d], key[d]);
        }
        return sum;
    }

    private static double[] row(double[] from, int at, int step, int width) {
        double[] row = new double[width];
        for (int d = 0; d < width; d++) {
            row[d] = from[at + d * step];
        }
        return row;
    }

    /**
     * Adds the contribution of a tile of score gradients {@code g} to the gradients of queries, keys and parameter. A cell in
     * which {@code g} is exactly 0 is skipped.
     *
     * @param dQueries gradients of the queries, {@code [headDim][query]}
     * @param dKeys gradients of the keys, {@code [key][keyHeadDim]}; the first begins at {@code dKeysOffset}, and successive
     *     keys are {@code step} elements apart
     * @param parameterSums sums for the gradient of the parameter; the sums of this head begin at {@code sumsOffset}; empty
     *     if not requested
     */
    void gradients(
            long head,
            double[] g,
            int at,
            int keys,
            int lanes,
            int queries,
            F64Rows keyRows,
            double[] packed,
            double[] dQueries,
            double[] dKeys,
            int dKeysOffset,
            int step,
            double[] parameterSums,
            int sumsOffset) {
        for (int i = 0; i < queries; i++) {
            double[] query = row(packed, i, lanes, (int) shape.headDim());
            double[] dQuery = new double[query.length];
            for (int j = 0; j < keys; j++) {
                double upstream = g[at + j * lanes + i];
                if (upstream != 0) {
                    double[] key = row(keyRows.data, keyRows.at + j * keyRows.step, 1, (int) shape.keyHeadDim());
                    double[] dKey = new double[key.length];
                    add(head, upstream, query, key, dQuery, dKey, parameterSums, sumsOffset);
                    for (int d = 0; d < dKey.length; d++) {
                        dKeys[dKeysOffset + j * step + d] += dKey[d];
                    }
                }
            }
            for (int d = 0; d < dQuery.length; d++) {
                dQueries[d * lanes + i] += dQuery[d];
            }
        }
    }

    private void add(
            long head,
            double upstream,
            double[] query,
            double[] key,
            double[] dQuery,
            double[] dKey,
            double[] parameterSums,
            int sumsOffset) {
        if (gradient != null) {
            gradient.add(query, key, upstream, dQuery, dKey);
            return;
        }
        for (int d = 0; element != null && d < query.length; d++) {
            double p = parameter(head, d);
            dQuery[d] += upstream * element.queryDerivative(p, query[d], key[d]);
            dKey[d] += upstream * element.keyDerivative(p, query[d], key[d]);
            if (parameterSums.length > 0) {
                parameterSums[sumsOffset + d] += upstream * element.parameterDerivative(query[d], key[d]);
            }
        }
    }

    /** Writes the gradient of the parameter from sums {@code [batch, numHeads, headDim]}. */
    void writeParameter(double[] sums, ScoreFunction place) {
        int width = (int) shape.headDim();
        if (place instanceof ScoreFunction.Additive f) {
            double[] total =
                    ParameterSums.overBatch(sums, shape, width, f.vector().rank() == 2);
            f.vector().copyFrom(Tensor.of(total, f.vector().shape()));
        } else if (place instanceof ScoreFunction.Gaussian f && f.widths() != null) {
            double[] total = ParameterSums.ofWidths(sums, shape, width, parameter);
            f.widths().copyFrom(Tensor.of(total, f.widths().shape()));
        }
    }
}
