package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.PairRows;
import dev.heed.backend.vector.kernels.ParameterSums;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A pairwise score function other than the dot product, computed inside the tile loops. All threads of a call share one
 * object.
 */
abstract sealed class Meeting permits Meeting.Sums, CustomMeeting {
    final AttentionShape shape;

    Meeting(AttentionShape shape) {
        this.shape = shape;
    }

    /**
     * {@return the pairwise score function; null for dot products} Score functions that are computed by rewriting rows
     * ({@code LoweredProblem}) must be rewritten before this call.
     */
    static @Nullable Meeting of(ScoreFunction score, AttentionShape shape) {
        return switch (score) {
            case ScoreFunction.Dot ignored -> null;
            case ScoreFunction.ScaledDot ignored -> null;
            case ScoreFunction.Additive f -> new Additive(shape, f.vector());
            case ScoreFunction.Gaussian f -> new Gaussian(shape, f);
            case ScoreFunction.Custom f -> new CustomMeeting(shape, f);
            default -> throw new IllegalStateException(score.pattern() + " must be rewritten before this call");
        };
    }

    /** Computes the scores of a tile {@code [key][query]}; may skip cells that are already minus infinity. */
    abstract void scores(Panel panel, Rows keys, int count, float[] tile, int at);

    /**
     * Adds the contribution of a tile of score gradients {@code g} to the gradients of queries, keys and parameters. A
     * cell in which {@code g} is exactly 0 adds nothing, even if its rows are non-finite. If {@code plain}, all rows are
     * finite.
     */
    abstract void gradients(long head, float[] g, int at, int keys, int queries, boolean plain, PairRows rows);

    /** Writes the gradient of the score function's parameter from sums {@code [batch, numHeads, headDim]}. */
    abstract void writeParameter(double[] sums, int width, ScoreFunction gradient);

    /** A pairwise score that is a sum over the elements of the two rows, with one term per index. */
    abstract static non-sealed class Sums extends Meeting {
        Sums(AttentionShape shape) {
            super(shape);
        }

        /**
         * Computes the scores of one query row with {@code count} key rows of {@code rows}; all rows must be padded with zeros
         * to whole vectors.
         */
        abstract void row(
                long head,
                float[] q,
                int qOffset,
                PairRows rows,
                int firstKey,
                int count,
                float[] scores,
                int at,
                float[] lanes);

        /** Skips no cell if all rows are finite ({@code plain}), because a gradient of 0 then adds 0. */
        @Override
        final void gradients(long head, float[] g, int at, int keys, int queries, boolean plain, PairRows rows) {
            if (plain) {
                gradients(head, g, at, keys, queries, rows, 0, 0);
                return;
            }
            for (int i = 0; i < queries; i++) {
                for (int j = 0; j < keys; j++) {
                    int cell = at + j * PANEL + i;
                    if (g[cell] != 0) {
                        gradients(head, g, cell, 1, 1, rows, i, j);
                    }
                }
            }
        }

        abstract void gradients(
                long head, float[] g, int at, int keys, int queries, PairRows rows, int firstQuery, int firstKey);
    }

    /** The additive score {@code v.tanh(q + k)}, with one vector {@code v} per head or one for all heads. */
    static final class Additive extends Sums {
        private final float[][] vectors;

        Additive(AttentionShape shape, Tensor vector) {
            super(shape);
            float[] all = vector.toFloatArray();
            int width = (int) shape.headDim();
            vectors = new float[all.length / width][];
            for (int h = 0; h < vectors.length; h++) {
                vectors[h] = Arrays.copyOf(Arrays.copyOfRange(all, h * width, (h + 1) * width), PairRows.padded(width));
            }
        }

        private float[] vector(long head) {
            return vectors[vectors.length == 1 ? 0 : (int) head];
        }

        @Override
        void scores(Panel panel, Rows keys, int count, float[] tile, int at) {
            KERNELS.tanhs(
                    keys.data,
                    keys.at,
                    keys.step,
                    count,
                    panel.packed,
                    (int) shape.headDim(),
                    vector(panel.head),
                    tile,
                    at);
        }

        @Override
        void row(
                long head,
                float[] q,
                int qOffset,
                PairRows rows,
                int firstKey,
                int count,
                float[] scores,
                int at,
                float[] lanes) {
            KERNELS.tanhRow(q, qOffset, rows, firstKey, count, vector(head), scores, at, lanes);
        }

        @Override
        void gradients(
                long head, float[] g, int at, int keys, int queries, PairRows rows, int firstQuery, int firstKey) {
            KERNELS.tanhGradients(g, at, keys, queries, rows, firstQuery, firstKey, vector(head));
        }

        @Override
        void writeParameter(double[] sums, int width, ScoreFunction gradient) {
            Tensor place = ((ScoreFunction.Additive) gradient).vector();
            double[] total = ParameterSums.overBatch(sums, shape, width, place.rank() == 2);
            place.copyFrom(Tensor.of(total, place.shape()));
        }
    }

    /** The Gaussian score {@code -w^2 |q - k|^2 / 2}, with one width {@code w} per head or one for all heads. */
    static final class Gaussian extends Sums {
        private final double[] widths;
        private final boolean trained;

        Gaussian(AttentionShape shape, ScoreFunction.Gaussian f) {
            super(shape);
            trained = f.widths() != null;
            widths = f.widths() == null ? new double[] {f.width()} : f.widths().toDoubleArray();
        }

        private double width(long head) {
            return widths[widths.length == 1 ? 0 : (int) head];
        }

        private float factor(long head) {
            return (float) (-width(head) * width(head) / 2);
        }

        @Override
        void scores(Panel panel, Rows keys, int count, float[] tile, int at) {
            KERNELS.distances(
                    keys.data,
                    keys.at,
                    keys.step,
                    count,
                    panel.packed,
                    (int) shape.headDim(),
                    factor(panel.head),
                    tile,
                    at);
        }

        @Override
        void row(
                long head,
                float[] q,
                int qOffset,
                PairRows rows,
                int firstKey,
                int count,
                float[] scores,
                int at,
                float[] lanes) {
            KERNELS.distanceRow(q, qOffset, rows, firstKey, count, factor(head), scores, at, lanes);
        }

        @Override
        void gradients(
                long head, float[] g, int at, int keys, int queries, PairRows rows, int firstQuery, int firstKey) {
            float c = (float) (width(head) * width(head));
            KERNELS.distanceGradients(g, at, keys, queries, rows, firstQuery, firstKey, c, trained);
        }

        @Override
        void writeParameter(double[] sums, int width, ScoreFunction gradient) {
            Tensor place = ((ScoreFunction.Gaussian) gradient).widths();
            if (place != null) {
                place.copyFrom(Tensor.of(ParameterSums.ofWidths(sums, shape, width, widths), place.shape()));
            }
        }
    }
}
