package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;
import static dev.heed.backend.vector.f64.F64Lanes.PANEL;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.storage.GradientSums;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of attention in f64. A task is one key/value head of one batch entry, as in {@code Backward}. It processes
 * the panels of all query heads that share this head, so each sum over queries is computed by one thread in a fixed order.
 *
 * <pre>
 * weights P  [key][query]             dWeights dP [key][query] = V dO'
 * delta      [query] = sum over keys of P * dP
 * dScores dS [key][query] = P * (dP - delta + dLSE)
 * dV [key][valueHeadDim] += P dO    dK [key][headDim] += dS Q    dQ' [headDim][query] += K' dS
 * </pre>
 *
 * <p>If the forward result is merged, P is computed with its row maxima and row sums, and delta is {@code rowsum(dO * O)} (Dao
 * 2023, algorithm 2). If one key has all the weight, {@code dP - delta} must be exactly 0. So delta is computed from P and dP, or
 * from O in the order in which dP is.
 */
public final class F64Backward {
    private final F64Call call;
    private final Tensor output;
    private final @Nullable Tensor rowMax;
    private final @Nullable Tensor rowSum;
    private final AttentionShape shape;
    private final Tensor outputGradient;
    private final @Nullable Tensor lseGradient;
    private final AttentionGradients gradients;
    private final double @Nullable [] biasSums;
    private final GradientSums sums;
    private final boolean dropping;

    private F64Backward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        this.output = forward.output();
        this.rowMax = forward.isMerged() ? forward.rowMax() : null;
        this.rowSum = forward.isMerged() ? forward.rowSum() : null;
        this.call = new F64Call(inputs);
        this.shape = call.shape;
        this.outputGradient = outputGradient;
        this.lseGradient = lseGradient;
        this.gradients = gradients;
        Tensor bias = gradients.bias();
        this.biasSums = bias == null ? null : new double[Math.toIntExact(bias.elementCount())];
        this.sums = new GradientSums(
                shape, gradients, bias == null || biasSums == null ? null : Tensor.of(biasSums, bias.shape()));
        this.dropping = call.options.dropout() > 0;
    }

    public static void run(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients,
            Workers workers) {
        F64Backward backward = new F64Backward(inputs, forward, outputGradient, lseGradient, gradients);
        AttentionShape s = backward.shape;
        backward.sums
                .allowed(workers)
                .allowedBy(inputs.tensors())
                .allowedBy(gradients.tensors())
                .allowedBy(Arrays.asList(outputGradient, lseGradient))
                .allowedBy(forward.tensors())
                .run(Math.toIntExact(s.batch() * s.numKvHeads()), backward::keyHead);
        backward.sums.write();
        if (gradients.score() != null && backward.call.meeting != null) {
            backward.call.meeting.writeParameter(backward.sums.parameter, gradients.score());
        }
    }

    private void keyHead(int task, Scratch threadScratch) {
        F64Scratch scratch = F64Scratch.of(threadScratch);
        long batch = task / shape.numKvHeads();
        long kvHead = task % shape.numKvHeads();
        int keys = Math.toIntExact(shape.seqLenKv());
        int keyStep = F64Lanes.lanes(shape.keyHeadDim());
        int valueStep = F64Lanes.lanes(shape.valueHeadDim());
        scratch.keySums = F64Scratch.cleared(scratch.keySums, Math.multiplyExact(keys, keyStep));
        scratch.valueSums = F64Scratch.cleared(scratch.valueSums, Math.multiplyExact(keys, valueStep));
        for (long h = kvHead * shape.groupSize(); h < (kvHead + 1) * shape.groupSize(); h++) {
            for (long from = 0; from < shape.seqLenQ(); from += PANEL) {
                int queries = (int) Math.min(PANEL, shape.seqLenQ() - from);
                panel(new F64Panel(call, scratch, batch, h, from, queries));
            }
        }
        write(gradients.key(), scratch.keySums, keyStep, batch, kvHead);
        write(gradients.value(), scratch.valueSums, valueStep, batch, kvHead);
    }

    private static void write(Tensor gradient, double[] sums, int step, long batch, long kvHead) {
        int width = (int) gradient.size(3);
        for (long j = 0; j < gradient.size(2); j++) {
            long position = gradient.position(batch, kvHead, j, 0);
            F64Rows.write(sums, (int) j * step, gradient, position, gradient.stride(3), width);
        }
    }

    private void panel(F64Panel panel) {
        F64Scratch scratch = panel.scratch;
        if (call.softcap != null) {
            scratch.derivatives = ArrayGrowth.atLeast(scratch.derivatives, panel.room());
        }
        panel.score(call.softcap == null ? null : scratch.derivatives);
        if (rowMax != null && rowSum != null) {
            panel.weigh(rowMax, rowSum);
        } else {
            panel.weigh();
        }
        weightGradients(panel);
        statistics(panel);
        spread(panel);
        panel.write(scratch.output, gradients.query());
    }

    /** Normalises the weights, and computes {@code dP = V dO'} (0 for dropped cells) and the deltas. */
    private void weightGradients(F64Panel panel) {
        F64Scratch scratch = panel.scratch;
        int width = (int) shape.valueHeadDim();
        int lanes = panel.lanes;
        scratch.weightGradients = ArrayGrowth.atLeast(scratch.weightGradients, panel.room());
        scratch.secondPacked = F64Call.pack(
                outputGradient, panel.batch, panel.head, panel.from, panel.queries, scratch, scratch.secondPacked);
        Arrays.fill(scratch.deltas, 0);
        for (int t = 0; t < panel.tiles; t++) {
            if (scratch.empty[t]) {
                continue;
            }
            int at = panel.at(t);
            int keys = panel.keys(t);
            F64Rows v = scratch.values;
            panel.normalise(t);
            panel.loadValues(t);
            KERNELS.dots(
                    v.data,
                    v.at,
                    v.step,
                    1,
                    keys,
                    scratch.secondPacked,
                    0,
                    lanes,
                    width,
                    scratch.weightGradients,
                    at,
                    lanes,
                    lanes);
            if (dropping) {
                panel.drop(scratch.weightGradients, t);
            }
            if (rowSum == null) {
                KERNELS.addWeighted(scratch.weights, scratch.weightGradients, at, keys, lanes, scratch.deltas);
            }
        }
        for (int i = 0; rowSum != null && i < panel.queries; i++) {
            scratch.deltas[i] = delta(panel, i);
        }
    }

    /**
     * {@return the sum of {@code dO * O} of a row, in the order of the elements, like dP} If one key has all the weight, O is its
     * value, and delta equals dP exactly. An element of O that is exactly 0, as in a row without attended keys, adds nothing,
     * even if its gradient is non-finite.
     */
    private double delta(F64Panel panel, int i) {
        int width = (int) shape.valueHeadDim();
        long position = output.position(panel.batch, panel.head, panel.from + i, 0);
        double sum = 0;
        for (int d = 0; d < width; d++) {
            double o = output.at(position + d * output.stride(3));
            if (o != 0) {
                sum += o * panel.scratch.secondPacked[d * panel.lanes + i];
            }
        }
        return sum;
    }

    /** Copies the LSE gradients of the panel to scratch memory and adds to the gradient of the sink. */
    private void statistics(F64Panel panel) {
        F64Scratch scratch = panel.scratch;
        double sink = panel.sink();
        int cell = (int) (panel.batch * shape.numHeads() + panel.head);
        Arrays.fill(scratch.lseGradients, 0);
        for (int i = 0; i < panel.queries; i++) {
            double dLse = lseGradient == null ? 0 : lseGradient.get(panel.batch, panel.head, panel.from + i);
            scratch.lseGradients[i] = dLse;
            if (sink != Double.NEGATIVE_INFINITY) {
                double weight = Math.exp(sink - scratch.maxima[i]) * scratch.inverses[i];
                sums.sink[cell] += weight * (dLse - scratch.deltas[i]);
            }
        }
    }

    /** Computes the gradients of the scores from dP and adds the contribution of the panel to all sums. */
    private void spread(F64Panel panel) {
        F64Scratch scratch = panel.scratch;
        double[] weights = scratch.weights;
        double[] scores = scratch.weightGradients;
        int keyWidth = (int) shape.headDim();
        int valueWidth = (int) shape.valueHeadDim();
        int lanes = panel.lanes;
        scratch.output = F64Scratch.cleared(scratch.output, keyWidth * lanes);
        load(scratch.queries, call.inputs.query(), panel);
        load(scratch.gradients, outputGradient, panel);
        boolean plainQueries = scratch.queries.finite(panel.queries, keyWidth);
        boolean plainGradients = scratch.gradients.finite(panel.queries, valueWidth);
        for (int t = 0; t < panel.tiles; t++) {
            if (scratch.empty[t]) {
                continue;
            }
            int at = panel.at(t);
            int keys = panel.keys(t);
            boolean masked = scratch.masked[t];
            KERNELS.scoreGradients(weights, scores, at, keys, lanes, scratch.deltas, scratch.lseGradients);
            addToBias(panel, scores, t);
            double[] derivatives = call.softcap == null ? null : scratch.derivatives;
            KERNELS.multiplyDerivatives(scores, derivatives, at, keys, lanes, call.scale);
            if (dropping) {
                panel.drop(weights, t);
            }
            addProducts(
                    panel, weights, t, scratch.gradients, plainGradients || !masked && !dropping, scratch.valueSums);
            panel.loadKeys(t);
            if (call.meeting != null) {
                scorePairs(call.meeting, panel, scores, t);
                continue;
            }
            addProducts(panel, scores, t, scratch.queries, plainQueries || !masked, scratch.keySums);
            panel.pool(scratch.keys, keyWidth, scores, t, masked, scratch.output);
        }
    }

    private void scorePairs(WideMeeting how, F64Panel panel, double[] scores, int tile) {
        F64Scratch scratch = panel.scratch;
        int step = F64Lanes.lanes(shape.keyHeadDim());
        how.gradients(
                panel.head,
                scores,
                panel.at(tile),
                panel.keys(tile),
                panel.lanes,
                panel.queries,
                scratch.keys,
                scratch.packed,
                scratch.output,
                scratch.keySums,
                (int) panel.keyFrom(tile) * step,
                step,
                sums.parameter,
                (int) ((panel.batch * shape.numHeads() + panel.head) * shape.headDim()));
    }

    /** Copies the rows of a tensor that belong to the panel's queries, each padded with zeros to whole vectors. */
    private static void load(F64Rows rows, Tensor tensor, F64Panel panel) {
        int step = F64Lanes.lanes(tensor.size(3));
        rows.copyOf(tensor, panel.batch, panel.head, panel.from, panel.queries, step);
    }

    private void addToBias(F64Panel panel, double[] scores, int tile) {
        if (sums.biasCells == null || biasSums == null) {
            return;
        }
        long corner = sums.biasCells.position(panel.batch, panel.head, panel.from, panel.keyFrom(tile));
        for (int j = 0; j < panel.keys(tile); j++) {
            for (int i = 0; i < panel.queries; i++) {
                int cell = (int) (corner + i * sums.biasCells.stride(2) + j * sums.biasCells.stride(3));
                biasSums[cell] += scores[panel.at(tile) + j * panel.lanes + i];
            }
        }
    }

    /**
     * Adds {@code sums [key][width] += tile rows} for a tile of the strip. If {@code plain} is false, a row is not added to
     * the sums of keys that are masked for it.
     */
    private static void addProducts(
            F64Panel panel, double[] strip, int tile, F64Rows rows, boolean plain, double[] sums) {
        int at = panel.at(tile);
        int keys = panel.keys(tile);
        int lanes = panel.lanes;
        int step = rows.step;
        int to = (int) panel.keyFrom(tile) * step;
        int depth = panel.queries;
        if (plain) {
            KERNELS.accumulate(strip, at, lanes, 1, keys, rows.data, 0, step, depth, sums, to, step, step);
        } else {
            KERNELS.accumulateAttended(
                    true, strip, at, lanes, 1, keys, rows.data, 0, step, depth, sums, to, step, step);
        }
    }
}
