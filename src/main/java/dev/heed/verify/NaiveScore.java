package dev.heed.verify;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A score function computed in f32 with its textbook formula. The rows of a head are first projected or normalised if
 * the function requires it. The score of each query and key is then a dot product, a weighted sum of hyperbolic
 * tangents, a squared distance, or a custom score in f64. Gradients of parameters are added to {@code sums}, a function
 * of the same kind with f32 tensors.
 */
final class NaiveScore {
    private final ScoreFunction score;
    private final @Nullable ScoreFunction sums;
    private final long batch;
    private final long head;

    NaiveScore(ScoreFunction score, @Nullable ScoreFunction sums, long batch, long head) {
        this.score = score;
        this.sums = sums;
        this.batch = batch;
        this.head = head;
    }

    /** {@return the projected or normalised queries of the head, or {@code rows} if the function does not change queries} */
    float[][] queries(float[][] rows) {
        return switch (score) {
            case ScoreFunction.Cosine f -> {
                float[][] unit = normalised(rows);
                for (int i = 0; i < rows.length; i++) {
                    scale(unit[i], strength(f, i));
                }
                yield unit;
            }
            case ScoreFunction.General f -> times(rows, of(f.weight(), 2), null);
            case ScoreFunction.Additive f
            when f.queryWeight() != null ->
                times(rows, of(f.queryWeight(), 2), f.bias() == null ? null : of(f.bias(), 1));
            case ScoreFunction.Concat f -> times(rows, top(of(f.weight(), 2), rows[0].length), null);
            default -> rows;
        };
    }

    /**
     * {@return the projected or normalised keys of the head; for a location-based score, the columns of the weight;
     * {@code rows} if the function does not change keys}
     */
    float[][] keys(float[][] rows) {
        return switch (score) {
            case ScoreFunction.Cosine ignored -> normalised(rows);
            case ScoreFunction.Location f -> columns(of(f.weight(), 2), rows.length);
            case ScoreFunction.Additive f when f.keyWeight() != null -> times(rows, of(f.keyWeight(), 2), null);
            case ScoreFunction.Concat f -> times(rows, bottom(of(f.weight(), 2), rows[0].length), null);
            default -> rows;
        };
    }

    /** {@return the score of a query from {@link #queries} and a key from {@link #keys}} */
    float score(float[] q, float[] k) {
        float sum = 0;
        switch (score) {
            case ScoreFunction.Additive f -> {
                Tensor v = of(f.vector(), 1);
                for (int d = 0; d < q.length; d++) {
                    sum += (float) v.get(d) * (float) Math.tanh(q[d] + k[d]);
                }
            }
            case ScoreFunction.Concat f -> {
                Tensor v = of(f.vector(), 1);
                for (int d = 0; d < q.length; d++) {
                    sum += (float) v.get(d) * (float) Math.tanh(q[d] + k[d]);
                }
            }
            case ScoreFunction.Gaussian f -> sum = -width(f) * width(f) * squaredDistance(q, k) / 2;
            case ScoreFunction.Custom f -> sum = (float) f.score().score(toDouble(q), toDouble(k));
            default -> {
                for (int d = 0; d < q.length; d++) {
                    sum += q[d] * k[d];
                }
                sum *= (float) score.scale(q.length);
            }
        }
        return sum;
    }

    /** Adds {@code upstream} times the gradients of {@link #score} to {@code dq}, {@code dk} and {@code sums}. */
    void gradient(float upstream, float[] q, float[] k, float[] dq, float[] dk) {
        switch (score) {
            case ScoreFunction.Additive f -> {
                var d = (ScoreFunction.@Nullable Additive) sums;
                tanhGradient(upstream, of(f.vector(), 1), d == null ? null : of(d.vector(), 1), q, k, dq, dk);
            }
            case ScoreFunction.Concat f -> {
                var d = (ScoreFunction.@Nullable Concat) sums;
                tanhGradient(upstream, of(f.vector(), 1), d == null ? null : of(d.vector(), 1), q, k, dq, dk);
            }
            case ScoreFunction.Gaussian f -> {
                float w = width(f);
                for (int d = 0; d < q.length; d++) {
                    float gradient = upstream * w * w * (q[d] - k[d]);
                    dq[d] -= gradient;
                    dk[d] += gradient;
                }
                if (sums instanceof ScoreFunction.Gaussian g && g.widths() != null) {
                    add(g.widths(), g.widths().size(0) == 1 ? 0 : head, -upstream * w * squaredDistance(q, k));
                }
            }
            case ScoreFunction.Custom f -> {
                if (f.gradient() != null) {
                    double[] doubleQ = new double[q.length];
                    double[] doubleK = new double[k.length];
                    f.gradient().add(toDouble(q), toDouble(k), upstream, doubleQ, doubleK);
                    for (int d = 0; d < q.length; d++) {
                        dq[d] += (float) doubleQ[d];
                    }
                    for (int d = 0; d < k.length; d++) {
                        dk[d] += (float) doubleK[d];
                    }
                }
            }
            default -> {
                float scaled = upstream * (float) score.scale(q.length);
                for (int d = 0; d < q.length; d++) {
                    dq[d] += scaled * k[d];
                    dk[d] += scaled * q[d];
                }
            }
        }
    }

    private static void tanhGradient(
            float upstream, Tensor v, @Nullable Tensor dv, float[] q, float[] k, float[] dq, float[] dk) {
        for (int d = 0; d < q.length; d++) {
            float t = (float) Math.tanh(q[d] + k[d]);
            float gradient = upstream * (float) v.get(d) * (1 - t * t);
            dq[d] += gradient;
            dk[d] += gradient;
            if (dv != null) {
                add(dv, d, upstream * t);
            }
        }
    }

    /** {@return the gradients of the query rows, from the gradients of the result of {@link #queries}} */
    float[][] queriesBack(float[][] rows, float[][] gradients) {
        return switch (score) {
            case ScoreFunction.Cosine f -> {
                float[][] unit = normalised(rows);
                for (int i = 0; i < rows.length; i++) {
                    if (sums instanceof ScoreFunction.Cosine c && c.strengths() != null) {
                        long place = place(c.strengths(), i);
                        c.strengths().put(place, c.strengths().at(place) + dot(unit[i], gradients[i]));
                    }
                    scale(gradients[i], strength(f, i));
                }
                yield normalisedBack(rows, gradients);
            }
            case ScoreFunction.General f -> {
                var d = (ScoreFunction.@Nullable General) sums;
                yield timesBack(rows, of(f.weight(), 2), gradients, d == null ? null : of(d.weight(), 2), null);
            }
            case ScoreFunction.Additive f
            when f.queryWeight() != null -> {
                var d = (ScoreFunction.@Nullable Additive) sums;
                yield timesBack(
                        rows,
                        of(f.queryWeight(), 2),
                        gradients,
                        d == null || d.queryWeight() == null ? null : of(d.queryWeight(), 2),
                        d == null || d.bias() == null ? null : of(d.bias(), 1));
            }
            case ScoreFunction.Concat f -> {
                var d = (ScoreFunction.@Nullable Concat) sums;
                int width = rows[0].length;
                yield timesBack(
                        rows,
                        top(of(f.weight(), 2), width),
                        gradients,
                        d == null ? null : top(of(d.weight(), 2), width),
                        null);
            }
            default -> gradients;
        };
    }

    /** {@return the gradients of the key rows, from the gradients of the result of {@link #keys}} */
    float[][] keysBack(float[][] rows, float[][] gradients) {
        return switch (score) {
            case ScoreFunction.Cosine ignored -> normalisedBack(rows, gradients);
            case ScoreFunction.Location ignored -> {
                if (sums instanceof ScoreFunction.Location d) {
                    Tensor weight = of(d.weight(), 2);
                    for (int j = 0; j < gradients.length; j++) {
                        for (int i = 0; i < gradients[j].length; i++) {
                            weight.set(weight.get(i, j) + gradients[j][i], i, j);
                        }
                    }
                }
                yield new float[rows.length][rows[0].length];
            }
            case ScoreFunction.Additive f
            when f.keyWeight() != null -> {
                var d = (ScoreFunction.@Nullable Additive) sums;
                yield timesBack(
                        rows,
                        of(f.keyWeight(), 2),
                        gradients,
                        d == null || d.keyWeight() == null ? null : of(d.keyWeight(), 2),
                        null);
            }
            case ScoreFunction.Concat f -> {
                var d = (ScoreFunction.@Nullable Concat) sums;
                int width = rows[0].length;
                yield timesBack(
                        rows,
                        bottom(of(f.weight(), 2), width),
                        gradients,
                        d == null ? null : bottom(of(d.weight(), 2), width),
                        null);
            }
            default -> gradients;
        };
    }

    private float strength(ScoreFunction.Cosine f, int i) {
        Tensor strengths = f.strengths();
        if (strengths == null) {
            return (float) f.strength();
        }
        return (float) strengths.at(place(strengths, i));
    }

    private long place(Tensor strengths, long i) {
        long[] whole = {batch, head, i};
        long[] place = new long[strengths.rank()];
        for (int axis = 0; axis < place.length; axis++) {
            place[axis] = strengths.size(axis) == 1 ? 0 : whole[3 - place.length + axis];
        }
        return strengths.position(place);
    }

    private float width(ScoreFunction.Gaussian f) {
        Tensor widths = f.widths();
        return widths == null ? (float) f.width() : (float) widths.get(widths.size(0) == 1 ? 0 : head);
    }

    private Tensor of(Tensor parameter, int sharedRank) {
        return parameter.rank() == sharedRank ? parameter : parameter.select(0, head);
    }

    private static Tensor top(Tensor weight, int rows) {
        return weight.slice(0, 0, rows);
    }

    private static Tensor bottom(Tensor weight, int rows) {
        return weight.slice(0, weight.size(0) - rows, weight.size(0));
    }

    private static float[][] times(float[][] rows, Tensor matrix, @Nullable Tensor bias) {
        float[][] product = new float[rows.length][(int) matrix.size(1)];
        for (int r = 0; r < rows.length; r++) {
            for (int i = 0; i < rows[r].length; i++) {
                for (int j = 0; j < product[r].length; j++) {
                    product[r][j] += rows[r][i] * (float) matrix.get(i, j);
                }
            }
            for (int j = 0; bias != null && j < product[r].length; j++) {
                product[r][j] += (float) bias.get(j);
            }
        }
        return product;
    }

    /** Computes the backward pass of {@link #times}. Rows whose gradient is 0 are not read, because they may be NaN. */
    private static float[][] timesBack(
            float[][] rows, Tensor matrix, float[][] gradients, @Nullable Tensor dMatrix, @Nullable Tensor dBias) {
        float[][] dRows = new float[rows.length][(int) matrix.size(0)];
        for (int r = 0; r < rows.length; r++) {
            if (reached(gradients[r])) {
                for (int i = 0; i < dRows[r].length; i++) {
                    for (int j = 0; j < gradients[r].length; j++) {
                        dRows[r][i] += gradients[r][j] * (float) matrix.get(i, j);
                        if (dMatrix != null) {
                            dMatrix.set(dMatrix.get(i, j) + rows[r][i] * gradients[r][j], i, j);
                        }
                    }
                }
                for (int j = 0; dBias != null && j < gradients[r].length; j++) {
                    add(dBias, j, gradients[r][j]);
                }
            }
        }
        return dRows;
    }

    private static boolean reached(float[] gradient) {
        for (float g : gradient) {
            if (g != 0) {
                return true;
            }
        }
        return false;
    }

    private static float[][] columns(Tensor weight, int count) {
        float[][] columns = new float[count][(int) weight.size(0)];
        for (int j = 0; j < count; j++) {
            for (int i = 0; i < columns[j].length; i++) {
                columns[j][i] = (float) weight.get(i, j);
            }
        }
        return columns;
    }

    private static float length(float[] x) {
        return (float) Math.sqrt(dot(x, x) + (float) ScoreFunction.Cosine.EPSILON);
    }

    private static float[][] normalised(float[][] rows) {
        float[][] unit = new float[rows.length][];
        for (int r = 0; r < rows.length; r++) {
            unit[r] = rows[r].clone();
            scale(unit[r], 1 / length(rows[r]));
        }
        return unit;
    }

    private static float[][] normalisedBack(float[][] rows, float[][] gradients) {
        float[][] dRows = new float[rows.length][rows[0].length];
        for (int r = 0; r < rows.length; r++) {
            if (reached(gradients[r])) {
                float length = length(rows[r]);
                float along = dot(rows[r], gradients[r]) / (length * length);
                for (int d = 0; d < dRows[r].length; d++) {
                    dRows[r][d] = (gradients[r][d] - along * rows[r][d]) / length;
                }
            }
        }
        return dRows;
    }

    private static float squaredDistance(float[] q, float[] k) {
        float sum = 0;
        for (int d = 0; d < q.length; d++) {
            sum += (q[d] - k[d]) * (q[d] - k[d]);
        }
        return sum;
    }

    private static float dot(float[] x, float[] y) {
        float sum = 0;
        for (int d = 0; d < x.length; d++) {
            sum += x[d] * y[d];
        }
        return sum;
    }

    private static void scale(float[] x, float factor) {
        for (int d = 0; d < x.length; d++) {
            x[d] *= factor;
        }
    }

    private static double[] toDouble(float[] x) {
        double[] doubles = new double[x.length];
        for (int d = 0; d < x.length; d++) {
            doubles[d] = x[d];
        }
        return doubles;
    }

    private static void add(Tensor tensor, long index, float value) {
        tensor.set((float) tensor.get(index) + value, index);
    }
}
