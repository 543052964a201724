package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionResult;
import dev.heed.ScoreStage;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A second pass over the keys that computes the optional outputs other than the LSE: weights, weights of chosen rows, the
 * largest weights of each row, and scores. The fused loops of the first pass do not store them. The second pass uses the
 * row maxima and row sums of the first.
 */
final class OptionalOutputs {
    private final PanelCall call;
    private final AttentionResult result;

    /**
     * The call that computes the requested scores: a call that ends at the requested stage, or {@link #call} if no scores
     * are requested or the stage is {@code MODIFIED}.
     */
    private final PanelCall staged;

    OptionalOutputs(PanelCall call, AttentionResult result) {
        this.call = call;
        this.result = result;
        ScoreStage stage = call.options.scores();
        this.staged = stage == null || stage == ScoreStage.MODIFIED ? call : call.upTo(stage);
    }

    void write(Panel panel, Rows rows) {
        clearTopK(result.topKWeights(), panel, 0);
        clearTopK(result.topKIndices(), panel, -1);
        long end = call.shape.seqLenKv();
        long kvHead = panel.head / call.shape.groupSize();
        for (long j = 0; j < end; j += Lanes.TILE) {
            int keys = (int) Math.min(Lanes.TILE, end - j);
            TileCover cover = call.mask.cover(panel.batch, panel.head, panel.from, panel.to(), j, j + keys);
            if (cover != TileCover.EMPTY || result.scores() != null) {
                rows.load(call.inputs.key(), call.keyArray, panel.batch, kvHead, j, j + keys);
            }
            writeScores(panel, rows, j, keys, cover);
            if (cover == TileCover.EMPTY) {
                Arrays.fill(panel.tile, 0, keys * PANEL, 0);
            } else {
                boolean masked = Prefill.scores(call, panel, rows, panel.tile, 0, j, keys, cover);
                KERNELS.finish(panel.tile, 0, keys, call.modifier.factor, panel.statistics);
                insert(panel, j, keys, masked);
            }
            writeWeights(panel, j, keys);
        }
    }

    private static void clearTopK(@Nullable Tensor list, Panel panel, double value) {
        if (list != null) {
            list.slice(0, panel.batch, panel.batch + 1)
                    .slice(1, panel.head, panel.head + 1)
                    .slice(2, panel.from, panel.to())
                    .fill(value);
        }
    }

    private void writeWeights(Panel panel, long keyFrom, int keys) {
        for (int i = 0; i < panel.queries; i++) {
            if (result.weights() != null) {
                copyRow(panel, i, keys, result.weights(), panel.from + i, keyFrom);
            }
            if (result.rowWeights() != null) {
                List<Long> rows = call.options.rows();
                for (int r = 0; r < rows.size(); r++) {
                    if (rows.get(r) == panel.from + i) {
                        copyRow(panel, i, keys, result.rowWeights(), r, keyFrom);
                    }
                }
            }
        }
    }

    private static void copyRow(Panel panel, int lane, int keys, Tensor into, long row, long keyFrom) {
        long position = into.position(panel.batch, panel.head, row, keyFrom);
        for (int j = 0; j < keys; j++) {
            into.put(position + j * into.stride(3), panel.tile[j * PANEL + lane]);
        }
    }

    /** Inserts the weights of a tile into the sorted top-k list of each row; a masked key is never inserted. */
    private void insert(Panel panel, long keyFrom, int keys, boolean masked) {
        Tensor weights = result.topKWeights();
        Tensor indices = result.topKIndices();
        if (weights == null || indices == null) {
            return;
        }
        int k = (int) weights.size(3);
        for (int i = 0; i < panel.queries; i++) {
            long w = weights.position(panel.batch, panel.head, panel.from + i, 0);
            long x = indices.position(panel.batch, panel.head, panel.from + i, 0);
            for (int j = 0; j < keys; j++) {
                float weight = panel.tile[j * PANEL + i];
                if (masked && weight == 0) {
                    continue;
                }
                int slot = k;
                while (slot > 0
                        && (indices.at(x + (slot - 1) * indices.stride(3)) < 0
                                || weights.at(w + (slot - 1) * weights.stride(3)) < weight)) {
                    slot--;
                }
                for (int n = k - 1; n > slot; n--) {
                    weights.put(w + n * weights.stride(3), weights.at(w + (n - 1) * weights.stride(3)));
                    indices.put(x + n * indices.stride(3), indices.at(x + (n - 1) * indices.stride(3)));
                }
                if (slot < k) {
                    weights.put(w + slot * weights.stride(3), weight);
                    indices.put(x + slot * indices.stride(3), keyFrom + j);
                }
            }
        }
    }

    private void writeScores(Panel panel, Rows rows, long keyFrom, int keys, TileCover cover) {
        Tensor scores = result.scores();
        if (scores == null) {
            return;
        }
        boolean modified = staged == call;
        if (modified && cover == TileCover.EMPTY) {
            Arrays.fill(panel.tile, 0, keys * PANEL, Float.NEGATIVE_INFINITY);
        } else {
            TileCover shown = modified ? cover : TileCover.FULL;
            Prefill.scores(staged, panel, rows, panel.tile, 0, keyFrom, keys, shown);
        }
        float factor = staged.modifier.unit * call.modifier.sign * staged.modifier.sign;
        for (int i = 0; i < panel.queries; i++) {
            long position = scores.position(panel.batch, panel.head, panel.from + i, keyFrom);
            for (int j = 0; j < keys; j++) {
                float score = panel.tile[j * PANEL + i];
                scores.put(position + j * scores.stride(3), factor == 1 ? score : score * factor);
            }
        }
    }
}
