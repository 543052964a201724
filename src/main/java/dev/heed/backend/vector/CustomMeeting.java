package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.PairRows;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.score.CustomScore;
import dev.heed.score.ScoreFunction;
import org.jspecify.annotations.Nullable;

/** A score function supplied by the caller. Each call gets one query row and one key row, converted to doubles. */
final class CustomMeeting extends Meeting {
    private final CustomScore score;
    private final CustomScore.@Nullable Gradient gradient;

    CustomMeeting(AttentionShape shape, ScoreFunction.Custom f) {
        super(shape);
        this.score = f.score();
        this.gradient = f.gradient();
    }

    @Override
    void scores(Panel panel, Rows keys, int count, float[] tile, int at) {
        double[][] queries = new double[panel.queries][];
        for (int i = 0; i < panel.queries; i++) {
            queries[i] = row(panel.packed, i, PANEL, (int) shape.headDim());
        }
        for (int j = 0; j < count; j++) {
            double[] key = row(keys.data, keys.at + j * keys.step, 1, (int) shape.keyHeadDim());
            for (int i = 0; i < panel.queries; i++) {
                int cell = at + j * PANEL + i;
                if (tile[cell] != Float.NEGATIVE_INFINITY) {
                    tile[cell] = (float) score.score(queries[i], key);
                }
            }
        }
    }

    private static double[] row(float[] from, int at, int step, int width) {
        double[] row = new double[width];
        for (int d = 0; d < width; d++) {
            row[d] = from[at + d * step];
        }
        return row;
    }

    @Override
    void gradients(long head, float[] g, int at, int keys, int queries, boolean plain, PairRows r) {
        if (gradient == null) {
            throw new IllegalStateException("a score function without a gradient must be refused earlier");
        }
        double[][] rows = new double[keys][];
        double[][] dRows = new double[keys][(int) shape.keyHeadDim()];
        for (int j = 0; j < keys; j++) {
            rows[j] = row(r.keys, j * r.keyStep, 1, (int) shape.keyHeadDim());
        }
        for (int i = 0; i < queries; i++) {
            double[] query = row(r.queries, i * r.queryStep, 1, (int) shape.headDim());
            double[] dQuery = new double[query.length];
            for (int j = 0; j < keys; j++) {
                float upstream = g[at + j * PANEL + i];
                if (upstream != 0) {
                    gradient.add(query, rows[j], upstream, dQuery, dRows[j]);
                }
            }
            add(dQuery, r.querySums, i * r.queryStep);
        }
        for (int j = 0; j < keys; j++) {
            add(dRows[j], r.keySums, r.keySumsAt + j * r.keySumsStep);
        }
    }

    private static void add(double[] more, float[] sums, int at) {
        for (int d = 0; d < more.length; d++) {
            sums[at + d] += (float) more[d];
        }
    }

    @Override
    void writeParameter(double[] sums, int width, ScoreFunction gradient) {
        // no parameters
    }
}
