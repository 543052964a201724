package dev.heed.backend.reference;

import static dev.heed.backend.reference.ReferenceAttention.axpy;
import static dev.heed.backend.reference.ReferenceAttention.dot;

import dev.heed.score.CustomScore;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A score function for one query head and the keys of its key/value head. It computes the score of the current query and a
 * key, and the gradients of that score. Gradients of score parameters are added to the tensors of {@code sums}, a score
 * function of the same kind; if {@code sums} is null, they are not computed. In the formulas, s is the query and h the key.
 */
abstract class PairRule {
    final double[][] keys;
    double[] query = {};

    private PairRule(double[][] keys) {
        this.keys = keys;
    }

    /** Sets the current query. */
    void query(double[] row, long index) {
        this.query = row;
    }

    abstract double score(int key);

    /**
     * Adds {@code upstream} times the derivatives of the score of the current query and key {@code key} to {@code dQuery},
     * {@code dKey} and the parameter gradients. Products with a parameter matrix are postponed to {@link #endQuery} or
     * {@link #endHead}, so that each product is computed only once and with less rounding.
     */
    abstract void gradient(int key, double upstream, double[] dQuery, double[] dKey);

    /**
     * Ends the current query: computes the postponed gradients of the query and the parameters from sums over the keys.
     */
    void endQuery(double[] dQuery) {}

    /** Ends the head: computes the postponed gradients of the keys and the parameters from sums over the queries. */
    void endHead(double[][] dKeys) {}

    /** {@return the rule for one query head of one batch entry} */
    static PairRule of(ScoreFunction score, @Nullable ScoreFunction sums, double[][] keys, long batch, long head) {
        return switch (score) {
            case ScoreFunction.Dot f -> new Dot(f, keys);
            case ScoreFunction.ScaledDot f -> new Dot(f, keys);
            case ScoreFunction.Cosine f -> new Cosine(f, (ScoreFunction.@Nullable Cosine) sums, keys, batch, head);
            case ScoreFunction.General f -> new General(f, (ScoreFunction.@Nullable General) sums, keys, head);
            case ScoreFunction.Location f -> new Location(f, (ScoreFunction.@Nullable Location) sums, keys, head);
            case ScoreFunction.Additive f -> {
                var d = (ScoreFunction.@Nullable Additive) sums;
                yield new Additive(
                        matrix(f.queryWeight(), head),
                        matrix(f.keyWeight(), head),
                        vector(f.bias(), head),
                        wanted(vector(f.vector(), head)),
                        d == null ? null : matrix(d.queryWeight(), head),
                        d == null ? null : matrix(d.keyWeight(), head),
                        d == null ? null : vector(d.bias(), head),
                        d == null ? null : vector(d.vector(), head),
                        keys);
            }
            case ScoreFunction.Concat f -> {
                var d = (ScoreFunction.@Nullable Concat) sums;
                Tensor weight = wanted(matrix(f.weight(), head));
                Tensor dWeight = d == null ? null : matrix(d.weight(), head);
                long split = weight.size(0) - keys[0].length;
                yield new Additive(
                        weight.slice(0, 0, split),
                        weight.slice(0, split, weight.size(0)),
                        null,
                        wanted(vector(f.vector(), head)),
                        dWeight == null ? null : dWeight.slice(0, 0, split),
                        dWeight == null ? null : dWeight.slice(0, split, weight.size(0)),
                        null,
                        d == null ? null : vector(d.vector(), head),
                        keys);
            }
            case ScoreFunction.Gaussian f -> new Gaussian(f, (ScoreFunction.@Nullable Gaussian) sums, keys, head);
            case ScoreFunction.Custom f -> new Custom(f, keys);
        };
    }

    /** The dot product {@code scale s.h}. */
    private static final class Dot extends PairRule {
        private final double scale;

        Dot(ScoreFunction f, double[][] keys) {
            super(keys);
            this.scale = f.scale(keys[0].length);
        }

        @Override
        double score(int key) {
            return scale * dot(query, keys[key]);
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            axpy(dQuery, scale * upstream, keys[key]);
            axpy(dKey, scale * upstream, query);
        }
    }

    /**
     * The cosine score {@code beta c} with {@code c = s.h / (|s| |h|)} and {@code |x| = sqrt(x.x + epsilon)}. Its
     * derivative is {@code dc/ds = h / (|s| |h|) - c s / |s|^2}.
     */
    private static final class Cosine extends PairRule {
        private final ScoreFunction.Cosine f;
        private final @Nullable Tensor strengths;
        private final @Nullable Tensor dStrengths;
        private final long batch;
        private final long head;
        private long index;

        Cosine(ScoreFunction.Cosine f, ScoreFunction.@Nullable Cosine sums, double[][] keys, long batch, long head) {
            super(keys);
            this.f = f;
            this.strengths = f.strengths();
            this.dStrengths = sums == null ? null : sums.strengths();
            this.batch = batch;
            this.head = head;
        }

        @Override
        void query(double[] row, long i) {
            super.query(row, i);
            index = i;
        }

        /** {@return the position of the current query in a tensor that broadcasts to {@code [batch, numHeads, seqLenQ]}} */
        private long place(Tensor tensor) {
            long[] whole = {batch, head, index};
            long[] place = new long[tensor.rank()];
            for (int axis = 0; axis < place.length; axis++) {
                place[axis] = tensor.size(axis) == 1 ? 0 : whole[3 - place.length + axis];
            }
            return tensor.position(place);
        }

        private double strength() {
            return strengths == null ? f.strength() : strengths.at(place(strengths));
        }

        private static double length(double[] x) {
            return Math.sqrt(dot(x, x) + ScoreFunction.Cosine.EPSILON);
        }

        private double cosine(int key) {
            return dot(query, keys[key]) / (length(query) * length(keys[key]));
        }

        @Override
        double score(int key) {
            return strength() * cosine(key);
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            double[] other = keys[key];
            double c = cosine(key);
            double q = length(query);
            double k = length(other);
            double dc = upstream * strength();
            axpy(dQuery, dc / (q * k), other);
            axpy(dQuery, -dc * c / (q * q), query);
            axpy(dKey, dc / (q * k), query);
            axpy(dKey, -dc * c / (k * k), other);
            if (dStrengths != null) {
                add(dStrengths, place(dStrengths), upstream * c);
            }
        }
    }

    /** The general score {@code s' W h}. */
    private static final class General extends PairRule {
        private final Tensor weight;
        private final @Nullable Tensor dWeight;
        private double[] projected = {};
        private final double[] dProjected;

        General(ScoreFunction.General f, ScoreFunction.@Nullable General sums, double[][] keys, long head) {
            super(keys);
            this.weight = wanted(matrix(f.weight(), head));
            this.dWeight = sums == null ? null : matrix(sums.weight(), head);
            this.dProjected = new double[keys[0].length];
        }

        @Override
        void query(double[] row, long index) {
            super.query(row, index);
            projected = times(row, weight);
        }

        @Override
        void endQuery(double[] dQuery) {
            flush(weight, dWeight, query, dProjected, dQuery);
        }

        @Override
        double score(int key) {
            return dot(projected, keys[key]);
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            axpy(dKey, upstream, projected);
            axpy(dProjected, upstream, keys[key]);
        }
    }

    /** The location score {@code (s W)_j} of key {@code j}. */
    private static final class Location extends PairRule {
        private final Tensor weight;
        private final @Nullable Tensor dWeight;

        Location(ScoreFunction.Location f, ScoreFunction.@Nullable Location sums, double[][] keys, long head) {
            super(keys);
            this.weight = wanted(matrix(f.weight(), head));
            this.dWeight = sums == null ? null : matrix(sums.weight(), head);
        }

        @Override
        double score(int key) {
            double sum = 0;
            for (int d = 0; d < query.length; d++) {
                sum += query[d] * weight.get(d, key);
            }
            return sum;
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            for (int d = 0; d < query.length; d++) {
                dQuery[d] += upstream * weight.get(d, key);
                if (dWeight != null) {
                    add(dWeight, dWeight.position(d, key), upstream * query[d]);
                }
            }
        }
    }

    /** The additive score {@code v.tanh(s W + h U + b)}, or {@code v.tanh(s + h)} if it has no matrices. */
    private static final class Additive extends PairRule {
        private final @Nullable Tensor queryWeight;
        private final @Nullable Tensor keyWeight;
        private final double[] vector;
        private final @Nullable Tensor dQueryWeight;
        private final @Nullable Tensor dKeyWeight;
        private final @Nullable Tensor dBias;
        private final @Nullable Tensor dVector;
        private final double[] bias;
        private final double[][] projectedKeys;
        private double[] projected = {};
        private final double[] dProjected;
        private final double[][] dProjectedKeys;

        Additive(
                @Nullable Tensor queryWeight,
                @Nullable Tensor keyWeight,
                @Nullable Tensor bias,
                Tensor vector,
                @Nullable Tensor dQueryWeight,
                @Nullable Tensor dKeyWeight,
                @Nullable Tensor dBias,
                @Nullable Tensor dVector,
                double[][] keys) {
            super(keys);
            this.queryWeight = queryWeight;
            this.keyWeight = keyWeight;
            this.vector = vector.toDoubleArray();
            this.bias = bias == null ? new double[this.vector.length] : bias.toDoubleArray();
            this.dQueryWeight = dQueryWeight;
            this.dKeyWeight = dKeyWeight;
            this.dBias = dBias;
            this.dVector = dVector;
            this.projectedKeys = new double[keys.length][];
            this.dProjected = new double[this.vector.length];
            this.dProjectedKeys = new double[keys.length][this.vector.length];
            for (int j = 0; j < keys.length; j++) {
                projectedKeys[j] = keyWeight == null ? keys[j] : times(keys[j], keyWeight);
            }
        }

        @Override
        void query(double[] row, long index) {
            super.query(row, index);
            projected = (queryWeight == null ? row : times(row, queryWeight)).clone();
            axpy(projected, 1, bias);
        }

        @Override
        double score(int key) {
            double sum = 0;
            for (int d = 0; d < vector.length; d++) {
                sum += vector[d] * Math.tanh(projected[d] + projectedKeys[key][d]);
            }
            return sum;
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            double[] inner = new double[vector.length];
            for (int d = 0; d < vector.length; d++) {
                double t = Math.tanh(projected[d] + projectedKeys[key][d]);
                inner[d] = upstream * vector[d] * (1 - t * t);
                if (dVector != null) {
                    add(dVector, dVector.position(d), upstream * t);
                }
                if (dBias != null) {
                    add(dBias, dBias.position(d), inner[d]);
                }
            }
            if (queryWeight == null || keyWeight == null) {
                axpy(dQuery, 1, inner);
                axpy(dKey, 1, inner);
                return;
            }
            axpy(dProjected, 1, inner);
            axpy(dProjectedKeys[key], 1, inner);
        }

        @Override
        void endQuery(double[] dQuery) {
            flush(queryWeight, dQueryWeight, query, dProjected, dQuery);
        }

        @Override
        void endHead(double[][] dKeys) {
            for (int j = 0; j < keys.length; j++) {
                flush(keyWeight, dKeyWeight, keys[j], dProjectedKeys[j], dKeys[j]);
            }
        }
    }

    /** The Gaussian score {@code -w^2 |s - h|^2 / 2}. */
    private static final class Gaussian extends PairRule {
        private final double width;
        private final @Nullable Tensor dWidths;
        private final long place;

        Gaussian(ScoreFunction.Gaussian f, ScoreFunction.@Nullable Gaussian sums, double[][] keys, long head) {
            super(keys);
            Tensor widths = f.widths();
            this.place = widths == null || widths.size(0) == 1 ? 0 : head;
            this.width = widths == null ? f.width() : widths.get(place);
            this.dWidths = sums == null ? null : sums.widths();
        }

        private double squaredDistance(double[] key) {
            double sum = 0;
            for (int d = 0; d < query.length; d++) {
                sum += (query[d] - key[d]) * (query[d] - key[d]);
            }
            return sum;
        }

        @Override
        double score(int key) {
            return -width * width * squaredDistance(keys[key]) / 2;
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            for (int d = 0; d < query.length; d++) {
                double gradient = upstream * width * width * (query[d] - keys[key][d]);
                dQuery[d] -= gradient;
                dKey[d] += gradient;
            }
            if (dWidths != null) {
                add(dWidths, dWidths.position(place), -upstream * width * squaredDistance(keys[key]));
            }
        }
    }

    /** A score function supplied by the caller. */
    private static final class Custom extends PairRule {
        private final CustomScore score;
        private final CustomScore.@Nullable Gradient gradient;

        Custom(ScoreFunction.Custom f, double[][] keys) {
            super(keys);
            this.score = f.score();
            this.gradient = f.gradient();
        }

        @Override
        double score(int key) {
            return score.score(query, keys[key]);
        }

        @Override
        void gradient(int key, double upstream, double[] dQuery, double[] dKey) {
            if (gradient != null) {
                gradient.add(query, keys[key], upstream, dQuery, dKey);
            }
        }
    }

    private static double[] times(double[] row, Tensor matrix) {
        double[] product = new double[(int) matrix.size(1)];
        for (int j = 0; j < product.length; j++) {
            var sum = new CompensatedSum();
            for (int i = 0; i < row.length; i++) {
                sum.addProduct(row[i], matrix.get(i, j));
            }
            product[j] = sum.value();
        }
        return product;
    }

    /**
     * Computes the backward pass of {@code y = x W}: adds {@code dy W'} to {@code dx}, adds {@code x' dy} to {@code dW} if
     * {@code dW} is not null, and sets {@code dy} to 0. If {@code weight} is null or all of {@code dy} is 0, as for a
     * masked key, the method does nothing and does not read {@code x}.
     */
    private static void flush(@Nullable Tensor weight, @Nullable Tensor dWeight, double[] x, double[] dy, double[] dx) {
        if (weight == null || Arrays.stream(dy).allMatch(gradient -> gradient == 0)) {
            return;
        }
        for (int i = 0; i < dx.length; i++) {
            var sum = new CompensatedSum();
            for (int j = 0; j < dy.length; j++) {
                sum.addProduct(dy[j], weight.get(i, j));
                if (dWeight != null) {
                    add(dWeight, dWeight.position(i, j), x[i] * dy[j]);
                }
            }
            dx[i] += sum.value();
        }
        Arrays.fill(dy, 0);
    }

    private static void add(Tensor tensor, long position, double value) {
        tensor.put(position, tensor.at(position) + value);
    }

    private static @Nullable Tensor matrix(@Nullable Tensor parameter, long head) {
        return parameter == null || parameter.rank() == 2 ? parameter : parameter.select(0, head);
    }

    private static @Nullable Tensor vector(@Nullable Tensor parameter, long head) {
        return parameter == null || parameter.rank() == 1 ? parameter : parameter.select(0, head);
    }

    private static Tensor wanted(@Nullable Tensor tensor) {
        if (tensor == null) {
            throw new IllegalStateException("a score function of this kind must have this parameter");
        }
        return tensor;
    }
}
