package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionShape;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The rewriting of cosine scores: each query and key row is divided by its Euclidean length. With {@code u = x / |x|},
 * {@code |x| = sqrt(x.x + epsilon)} and the gradient {@code du} of {@code u}, the gradient of {@code x} is
 * {@code (du - u (u.du)) / |x|}. If the strength is a tensor, it multiplies the rewritten queries; if it is a number, it
 * remains a factor of the score.
 */
final class CosineRows extends Rewriting {
    @Override
    Rewritten rewrite(AttentionInputs inputs) {
        ScoreFunction.Cosine f = (ScoreFunction.Cosine) inputs.options().score();
        Tensor strengths = strengths(f.strengths(), inputs);
        ScoreFunction remainingScore = strengths == null ? ScoreFunction.scaledDot(f.strength()) : ScoreFunction.dot();
        return new Rewritten(unit(inputs.query(), strengths), unit(inputs.key(), null), remainingScore);
    }

    private static @Nullable Tensor strengths(@Nullable Tensor strengths, AttentionInputs inputs) {
        AttentionShape s = inputs.problem().shape();
        return strengths == null ? null : strengths.expand(s.batch(), s.numHeads(), s.seqLenQ());
    }

    private static Tensor unit(Tensor rows, @Nullable Tensor factors) {
        int width = (int) rows.size(3);
        if (rows.type() == DType.F64) {
            double[] x = rows.toDoubleArray();
            double[] factor = factors == null ? null : factors.toDoubleArray();
            for (int at = 0, r = 0; at < x.length; at += width, r++) {
                double length = length(x, at, width);
                for (int d = at; d < at + width; d++) {
                    x[d] = factor == null ? x[d] / length : x[d] / length * factor[r];
                }
            }
            return Tensor.of(x, rows.shape());
        }
        float[] x = rows.toFloatArray();
        double[] factor = factors == null ? null : factors.toDoubleArray();
        for (int at = 0, r = 0; at < x.length; at += width, r++) {
            double scale = (factor == null ? 1 : factor[r]) / length(x, at, width);
            for (int d = at; d < at + width; d++) {
                x[d] = (float) (x[d] * scale);
            }
        }
        return Tensor.of(x, rows.shape());
    }

    private static double length(double[] x, int at, int width) {
        double sum = 0;
        for (int d = at; d < at + width; d++) {
            sum += x[d] * x[d];
        }
        return Math.sqrt(sum + ScoreFunction.Cosine.EPSILON);
    }

    /**
     * Computes the length of a row. Squares are added in four sums, so that an addition need not wait for the previous
     * addition.
     */
    private static double length(float[] x, int at, int width) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int d = at;
        for (; d + 4 <= at + width; d += 4) {
            s0 += (double) x[d] * x[d];
            s1 += (double) x[d + 1] * x[d + 1];
            s2 += (double) x[d + 2] * x[d + 2];
            s3 += (double) x[d + 3] * x[d + 3];
        }
        for (; d < at + width; d++) {
            s0 += (double) x[d] * x[d];
        }
        return Math.sqrt((s0 + s1) + (s2 + s3) + ScoreFunction.Cosine.EPSILON);
    }

    @Override
    Tensor queryGradient(AttentionInputs inputs, AttentionGradients gradients) {
        return zeros(inputs.query());
    }

    @Override
    Tensor keyGradient(AttentionInputs inputs, AttentionGradients gradients) {
        return zeros(inputs.key());
    }

    @Override
    void backward(AttentionInputs inputs, AttentionGradients inner, AttentionGradients gradients) {
        ScoreFunction.Cosine f = (ScoreFunction.Cosine) inputs.options().score();
        Tensor strengths = strengths(f.strengths(), inputs);
        Tensor wanted = gradients.score() instanceof ScoreFunction.Cosine places ? places.strengths() : null;
        Tensor sums = wanted == null ? null : Tensor.zeros(DType.F64, wanted.shape());
        through(inputs.query(), inner.query(), strengths, strengths(sums, inputs), gradients.query());
        through(inputs.key(), inner.key(), null, null, gradients.key());
        if (wanted != null && sums != null) {
            wanted.copyFrom(sums);
        }
    }

    /**
     * Computes the gradient of the original rows from the gradient of the rewritten rows, and adds the gradients of the
     * factors (the strengths) to {@code factorSums}, if not null. If the gradient of a rewritten row is zero, so is the
     * gradient of the original row, even if the original row contains NaN.
     */
    private static void through(
            Tensor rows, Tensor gradient, @Nullable Tensor factors, @Nullable Tensor factorSums, Tensor into) {
        int width = (int) rows.size(3);
        int count = Math.toIntExact(rows.elementCount() / width);
        double[] factor = factors == null ? null : factors.toDoubleArray();
        double[] along = new double[count];
        Tensor made;
        if (gradient.type() == DType.F64) {
            double[] x = rows.toDoubleArray();
            double[] du = gradient.toDoubleArray();
            for (int r = 0, at = 0; r < count; r++, at += width) {
                if (isZero(du, at, width)) {
                    Arrays.fill(x, at, at + width, 0);
                    continue;
                }
                double length = length(x, at, width);
                for (int d = at; d < at + width; d++) {
                    along[r] += x[d] / length * du[d];
                }
                double times = (factor == null ? 1 : factor[r]) / length;
                for (int d = at; d < at + width; d++) {
                    x[d] = (du[d] - x[d] / length * along[r]) * times;
                }
            }
            made = Tensor.of(x, rows.shape());
        } else {
            float[] x = rows.toFloatArray();
            float[] du = gradient.toFloatArray();
            for (int r = 0, at = 0; r < count; r++, at += width) {
                if (isZero(du, at, width)) {
                    Arrays.fill(x, at, at + width, 0);
                    continue;
                }
                double inverse = 1 / length(x, at, width);
                double sum = 0;
                for (int d = at; d < at + width; d++) {
                    sum += (double) x[d] * du[d];
                }
                along[r] = sum * inverse;
                double times = (factor == null ? 1 : factor[r]) * inverse;
                double back = along[r] * inverse;
                for (int d = at; d < at + width; d++) {
                    x[d] = (float) ((du[d] - x[d] * back) * times);
                }
            }
            made = Tensor.of(x, rows.shape());
        }
        into.copyFrom(made);
        for (int r = 0; r < count && factorSums != null; r++) {
            long query = r % rows.size(2);
            long head = r / rows.size(2);
            long cell = factorSums.position(head / rows.size(1), head % rows.size(1), query);
            factorSums.put(cell, factorSums.at(cell) + along[r]);
        }
    }

    private static boolean isZero(double[] x, int at, int width) {
        for (int d = at; d < at + width; d++) {
            if (x[d] != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isZero(float[] x, int at, int width) {
        for (int d = at; d < at + width; d++) {
            if (x[d] != 0) {
                return false;
            }
        }
        return true;
    }
}
