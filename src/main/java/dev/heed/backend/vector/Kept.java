package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

import dev.heed.AttentionResult;
import dev.heed.ScoreStage;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * What a fused kernel throws away, computed once more for those who ask: weights, weights of chosen rows, the largest
 * weights of each row, scores. A second pass over the keys, with the statistics of the first.
 */
final class Kept {
    private final PanelCall call;
    private final AttentionResult result;

    Kept(PanelCall call, AttentionResult result) {
        this.call = call;
        this.result = result;
    }

    static boolean wanted(AttentionResult result) {
        return result.weights() != null
                || result.rowWeights() != null
                || result.topKWeights() != null
                || result.scores() != null;
    }

    void write(Scratch scratch, long batch, long head, long from, int queries) {
        Tensor topWeights = result.topKWeights();
        Tensor topIndices = result.topKIndices();
        if (topWeights != null && topIndices != null) {
            topWeights
                    .slice(0, batch, batch + 1)
                    .slice(1, head, head + 1)
                    .slice(2, from, from + queries)
                    .fill(0);
            topIndices
                    .slice(0, batch, batch + 1)
                    .slice(1, head, head + 1)
                    .slice(2, from, from + queries)
                    .fill(-1);
        }
        long end = call.shape.seqLenKv();
        for (long j = 0; j < end; j += PanelCall.TILE) {
            int keys = (int) Math.min(PanelCall.TILE, end - j);
            if (result.scores() != null) {
                writeScores(scratch, batch, head, from, queries, j, keys);
            }
            TileCover cover = call.mask.cover(batch, head, from, from + queries, j, j + keys);
            if (cover == TileCover.EMPTY) {
                Arrays.fill(scratch.tile, 0, keys * PANEL, 0);
            } else {
                boolean hidden =
                        Prefill.scores(call, scratch, scratch.tile, 0, batch, head, from, queries, j, keys, cover);
                SoftmaxTile.finish(scratch.tile, 0, keys, call.modifier.factor, scratch.statistics);
                if (topWeights != null && topIndices != null) {
                    insert(topWeights, topIndices, scratch.tile, batch, head, from, queries, j, keys, hidden);
                }
            }
            writeWeights(scratch.tile, batch, head, from, queries, j, keys);
        }
    }

    private void writeWeights(float[] tile, long batch, long head, long from, int queries, long keyFrom, int keys) {
        for (int i = 0; i < queries; i++) {
            if (result.weights() != null) {
                copyRow(tile, i, keys, result.weights(), batch, head, from + i, keyFrom);
            }
            if (result.rowWeights() != null) {
                List<Long> rows = call.options.rows();
                for (int r = 0; r < rows.size(); r++) {
                    if (rows.get(r) == from + i) {
                        copyRow(tile, i, keys, result.rowWeights(), batch, head, r, keyFrom);
                    }
                }
            }
        }
    }

    private static void copyRow(
            float[] tile, int lane, int keys, Tensor into, long batch, long head, long row, long keyFrom) {
        long position = into.position(batch, head, row, keyFrom);
        for (int j = 0; j < keys; j++) {
            into.put(position + j * into.stride(3), tile[j * PANEL + lane]);
        }
    }

    /** Keeps the lists of largest weights sorted; a key that takes no part is never in them. */
    private void insert(
            Tensor weights,
            Tensor indices,
            float[] tile,
            long batch,
            long head,
            long from,
            int queries,
            long keyFrom,
            int keys,
            boolean hidden) {
        int k = (int) weights.size(3);
        for (int i = 0; i < queries; i++) {
            long w = weights.position(batch, head, from + i, 0);
            long x = indices.position(batch, head, from + i, 0);
            for (int j = 0; j < keys; j++) {
                float weight = tile[j * PANEL + i];
                if (hidden && weight == 0) {
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

    private void writeScores(Scratch scratch, long batch, long head, long from, int queries, long keyFrom, int keys) {
        Tensor scores = result.scores();
        ScoreStage stage = call.options.scores();
        if (scores == null || stage == null) {
            return;
        }
        boolean modified = stage == ScoreStage.MODIFIED;
        PanelCall asked = modified ? call : call.upTo(stage);
        TileCover cover =
                modified ? call.mask.cover(batch, head, from, from + queries, keyFrom, keyFrom + keys) : TileCover.FULL;
        if (cover == TileCover.EMPTY) {
            Arrays.fill(scratch.tile, 0, keys * PANEL, Float.NEGATIVE_INFINITY);
        } else {
            Prefill.scores(asked, scratch, scratch.tile, 0, batch, head, from, queries, keyFrom, keys, cover);
        }
        float factor = asked.modifier.unit * call.modifier.sign * asked.modifier.sign;
        for (int i = 0; i < queries; i++) {
            long position = scores.position(batch, head, from + i, keyFrom);
            for (int j = 0; j < keys; j++) {
                float score = scratch.tile[j * PANEL + i];
                scores.put(position + j * scores.stride(3), factor == 1 ? score : score * factor);
            }
        }
    }
}
