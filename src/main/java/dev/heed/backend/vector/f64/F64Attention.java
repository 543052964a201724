package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The forward pass of attention in f64. A task computes one panel of queries. Weights and scores after the mask are copied
 * from the strip of the panel (see {@link F64Panel}); scores before the mask are computed separately.
 */
public final class F64Attention {
    private final F64Call call;
    private final AttentionResult result;
    private final AttentionShape shape;
    private final int panels;

    private F64Attention(AttentionInputs inputs, AttentionResult result) {
        this.call = new F64Call(inputs);
        this.result = result;
        this.shape = call.shape;
        this.panels = F64Lanes.panels(shape.seqLenQ());
    }

    public static void run(AttentionInputs inputs, AttentionResult result, Workers workers) {
        F64Attention attention = new F64Attention(inputs, result);
        AttentionShape s = attention.shape;
        workers.allowedBy(inputs.tensors())
                .allowedBy(result.tensors())
                .run(Math.toIntExact(s.batch() * s.numHeads() * attention.panels), attention::panel);
    }

    /** Computes one task. The last panels start first, because under a causal mask their queries attend to the most keys. */
    private void panel(int task, Scratch threadScratch) {
        F64Scratch scratch = F64Scratch.of(threadScratch);
        long heads = shape.batch() * shape.numHeads();
        long from = (panels - 1L - task / heads) * PANEL;
        long batch = task % heads / shape.numHeads();
        long head = task % shape.numHeads();
        int queries = (int) Math.min(PANEL, shape.seqLenQ() - from);
        F64Panel panel = new F64Panel(call, scratch, batch, head, from, queries);
        ScoreStage stage = call.options.scores();
        if (result.scores() != null && stage != null && stage != ScoreStage.MODIFIED) {
            writeEarlyScores(panel, result.scores(), stage);
        }
        panel.score(null);
        if (result.scores() != null && stage == ScoreStage.MODIFIED) {
            writeStrip(panel, result.scores(), Double.NEGATIVE_INFINITY);
        }
        panel.weigh();
        boolean weightsRequested =
                result.weights() != null || result.rowWeights() != null || result.topKWeights() != null;
        for (int t = 0; weightsRequested && t < panel.tiles; t++) {
            if (!scratch.empty[t]) {
                panel.normalise(t);
            }
        }
        keep(panel);
        pool(panel, !weightsRequested);
    }

    private void pool(F64Panel panel, boolean normalise) {
        F64Scratch scratch = panel.scratch;
        int width = (int) shape.valueHeadDim();
        scratch.output = F64Scratch.cleared(scratch.output, width * panel.lanes);
        for (int t = 0; t < panel.tiles; t++) {
            if (scratch.empty[t]) {
                continue;
            }
            if (normalise) {
                panel.normalise(t);
            }
            boolean dropping = call.options.dropout() > 0;
            if (dropping) {
                panel.drop(scratch.weights, t);
            }
            panel.loadValues(t);
            boolean masked = dropping || scratch.masked[t]; // a non-finite value with a dropped weight must add nothing
            panel.pool(scratch.values, width, scratch.weights, t, masked, scratch.output);
        }
        panel.write(scratch.output, result.output());
    }

    private void keep(F64Panel panel) {
        for (int i = 0; i < panel.queries; i++) {
            double sum = panel.scratch.sums[i];
            result.setRowStatistics(panel.scratch.maxima[i], sum, panel.batch, panel.head, panel.from + i);
        }
        if (result.weights() != null) {
            writeStrip(panel, result.weights(), 0);
        }
        if (result.rowWeights() != null) {
            List<Long> rows = call.options.rows();
            for (int r = 0; r < rows.size(); r++) {
                long lane = rows.get(r) - panel.from;
                if (lane >= 0 && lane < panel.queries) {
                    writeLane(panel, (int) lane, result.rowWeights(), r, 0);
                }
            }
        }
        if (result.topKWeights() != null && result.topKIndices() != null) {
            for (int i = 0; i < panel.queries; i++) {
                writeTopK(panel, i, result.topKWeights(), result.topKIndices());
            }
        }
    }

    private static void writeStrip(F64Panel panel, Tensor into, double outside) {
        for (int i = 0; i < panel.queries; i++) {
            writeLane(panel, i, into, panel.from + i, outside);
        }
    }

    /** Writes the strip's entries of one query for all keys; a key without an entry gets {@code outside}. */
    private static void writeLane(F64Panel panel, int lane, Tensor into, long row, double outside) {
        F64Scratch scratch = panel.scratch;
        int keys = (int) into.size(3);
        scratch.row = ArrayGrowth.atLeast(scratch.row, keys);
        Arrays.fill(scratch.row, 0, keys, outside);
        for (int t = 0; t < panel.tiles; t++) {
            int to = (int) panel.keyFrom(t);
            for (int j = 0; !scratch.empty[t] && j < panel.keys(t); j++) {
                scratch.row[to + j] = scratch.weights[panel.at(t) + j * panel.lanes + lane] + 0.0; // -0 becomes 0
            }
        }
        long position = into.position(panel.batch, panel.head, row, 0);
        F64Rows.write(scratch.row, 0, into, position, into.stride(3), keys);
    }

    /** Writes the largest weights of a row in descending order; a masked key is never among them. */
    private static void writeTopK(F64Panel panel, int lane, Tensor weights, Tensor indices) {
        F64Scratch scratch = panel.scratch;
        int k = (int) weights.size(3);
        double[] best = new double[k];
        long[] keys = new long[k];
        Arrays.fill(keys, -1);
        int found = 0;
        for (int t = 0; t < panel.tiles; t++) {
            for (int j = 0; !scratch.empty[t] && j < panel.keys(t); j++) {
                double weight = scratch.weights[panel.at(t) + j * panel.lanes + lane];
                int slot = found;
                while (slot > 0 && best[slot - 1] < weight) {
                    slot--;
                }
                if (slot < k && !F64Kernels.masked(weight)) {
                    found = Math.min(k, found + 1);
                    System.arraycopy(best, slot, best, slot + 1, found - slot - 1);
                    System.arraycopy(keys, slot, keys, slot + 1, found - slot - 1);
                    best[slot] = weight;
                    keys[slot] = panel.keyFrom(t) + j;
                }
            }
        }
        for (int n = 0; n < k; n++) {
            weights.set(best[n], panel.batch, panel.head, panel.from + lane, n);
            indices.set(keys[n], panel.batch, panel.head, panel.from + lane, n);
        }
    }

    /** Writes the scores of a stage before the mask for all keys, masked keys included. */
    private void writeEarlyScores(F64Panel panel, Tensor scores, ScoreStage stage) {
        F64Scratch scratch = panel.scratch;
        scratch.output = ArrayGrowth.atLeast(scratch.output, F64Call.TILE * panel.lanes);
        for (long j = 0; j < shape.seqLenKv(); j += F64Call.TILE) {
            int keys = (int) Math.min(F64Call.TILE, shape.seqLenKv() - j);
            Arrays.fill(scratch.output, 0, keys * panel.lanes, 0);
            call.score(scratch, panel.batch, panel.head, j, keys, scratch.output, 0, panel.lanes, panel.queries);
            if (stage == ScoreStage.SOFTCAPPED) {
                call.cap(scratch.output, 0, keys, panel.lanes, panel.queries, null);
            }
            for (int i = 0; i < panel.queries; i++) {
                long position = scores.position(panel.batch, panel.head, panel.from + i, j);
                for (int n = 0; n < keys; n++) {
                    scores.put(position + n * scores.stride(3), scratch.output[n * panel.lanes + i]);
                }
            }
        }
    }
}
