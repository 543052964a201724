package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.backend.vector.f64.F64Scratch;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.PairRows;
import dev.heed.backend.vector.storage.GradientSums;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of attention, computed tile by tile (Dao et al. 2022, section 3.1). A task is one key/value head of one
 * batch entry. It processes the panels of all query heads that share the key/value head, so each sum over queries is
 * computed by one thread in a fixed order.
 *
 * <pre>
 * weights P  [key][query]             dWeights dP [key][query] = V dO'
 * delta      [query] = sum over keys of P * dP
 * dScores dS [key][query] = P * (dP - delta + dLSE)
 * dV [key][valueHeadDim] += P dO    dK [key][headDim] += dS Q    dQ' [headDim][query] += K' dS
 * </pre>
 *
 * <p>Sums are f32 inside a block, and the blocks are added in f64: dK and dV in blocks of {@link #BLOCK} queries of all heads of the
 * group, dQ in blocks of one strip of keys, and the elements of a shared bias one summand after another.
 *
 * <p>A strip is a sequence of tiles, up to {@link #STRIP} keys; P and dP of a panel are stored for one strip. If a panel has more
 * keys, each strip is computed twice. If the forward result is merged, its row maxima and row sums are used, delta is {@code
 * rowsum(dO * O)} (Dao 2023, algorithm 2), and each strip of {@link #SHORT_STRIP} keys is computed once.
 *
 * <p>If one key has all the weight, {@code dP - delta} must be exactly 0. So delta is computed from P and dP, or from O in the
 * order in which dP is.
 */
final class Backward {
    /** Maximum keys per strip. With vectors of 16 lanes, P and dP of one strip of this length take 4 MB. */
    private static final int STRIP = 128 * Lanes.TILE;

    /** Queries whose contributions to dK and dV are added in f32. */
    private static final int BLOCK = 256;

    /** Largest magnitude of a maximum in the units of a tile. A smaller unit, with a sink, would make it infinite. */
    private static final float LARGEST = Float.MAX_VALUE / 2;

    private static final float[] ONES = new float[PANEL];

    static {
        Arrays.fill(ONES, 1);
    }

    /** Keys per strip if the statistics are given: P and dP of a strip stay in the second-level cache. */
    private static final int SHORT_STRIP = 4 * Lanes.TILE;

    private final PanelCall call;
    private final Tensor output;
    private final @Nullable Tensor rowMax;
    private final @Nullable Tensor rowSum;

    /** Whether the statistics and the output of the forward result are used, which belongs to more keys. */
    private final boolean given;

    private final @Nullable PanelCall capped;
    private final AttentionShape shape;
    private final Tensor outputGradient;
    private final @Nullable Tensor lseGradient;
    private final AttentionGradients gradients;
    private final float @Nullable [] biasElements; // if each element of the bias belongs to one score
    private final double @Nullable [] biasSums; // if scores share elements of the bias
    private final GradientSums sums;
    private final float scale;

    private Backward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        this.call = new PanelCall(inputs);
        this.output = forward.output();
        this.rowMax = forward.rowMax();
        this.rowSum = forward.rowSum();
        this.given = forward.isMerged() && rowMax != null && rowSum != null;
        this.capped = call.options.softcap() == null ? null : call.upTo(ScoreStage.SOFTCAPPED);
        this.shape = call.shape;
        this.outputGradient = outputGradient;
        this.lseGradient = lseGradient;
        this.gradients = gradients;
        Tensor bias = gradients.bias();
        boolean shared = bias != null
                && bias.elementCount() < shape.batch() * shape.numHeads() * shape.seqLenQ() * shape.seqLenKv();
        this.biasElements = bias == null || shared ? null : new float[Math.toIntExact(bias.elementCount())];
        this.biasSums = bias == null || !shared ? null : new double[Math.toIntExact(bias.elementCount())];
        this.sums = new GradientSums(
                shape,
                gradients,
                bias == null
                        ? null
                        : biasElements != null
                                ? Tensor.of(biasElements, bias.shape())
                                : Tensor.of(Objects.requireNonNull(biasSums), bias.shape()));
        this.scale = (float) call.options.score().scale(shape.headDim());
    }

    static void run(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients,
            Workers workers) {
        Backward backward = new Backward(inputs, forward, outputGradient, lseGradient, gradients);
        AttentionShape s = backward.shape;
        int tasks = Math.toIntExact(s.batch() * s.numKvHeads());
        backward.sums
                .allowed(workers)
                .allowedBy(inputs.tensors())
                .allowedBy(gradients.tensors())
                .allowedBy(Arrays.asList(outputGradient, lseGradient))
                .allowedBy(forward.tensors())
                .run(tasks, backward::keyHead);
        backward.sums.write();
        if (gradients.score() != null && backward.call.meeting != null) {
            backward.call.meeting.writeParameter(backward.sums.parameter, (int) s.headDim(), gradients.score());
        }
    }

    private void keyHead(int task, Scratch scratch) {
        long batch = task / shape.numKvHeads();
        long kvHead = task % shape.numKvHeads();
        int keys = Math.toIntExact(shape.seqLenKv());
        int keyStep = Lanes.panels(shape.keyHeadDim()) * PANEL;
        int valueStep = Lanes.panels(shape.valueHeadDim()) * PANEL;
        scratch.keySums = cleared(scratch.keySums, Math.multiplyExact(keys, keyStep));
        scratch.valueSums = cleared(scratch.valueSums, Math.multiplyExact(keys, valueStep));
        scratch.keyTotals.clear();
        scratch.valueTotals.clear();
        int inBlock = 0;
        int firstKey = keys;
        int endKey = 0;
        for (long h = kvHead * shape.groupSize(); h < (kvHead + 1) * shape.groupSize(); h++) {
            for (long from = 0; from < shape.seqLenQ(); from += PANEL) {
                if (inBlock >= BLOCK && firstKey < endKey) {
                    scratch.keyTotals.add(scratch.keySums, firstKey * keyStep, endKey * keyStep, keys * keyStep);
                    scratch.valueTotals.add(
                            scratch.valueSums, firstKey * valueStep, endKey * valueStep, keys * valueStep);
                    inBlock = 0;
                    firstKey = keys;
                    endKey = 0;
                }
                Panel panel = panel(scratch, batch, h, from);
                inBlock += panel.queries;
                firstKey = (int) Math.min(firstKey, panel.firstKey);
                endKey = (int) Math.max(endKey, panel.endKey);
            }
        }
        scratch.keyTotals.addTo(scratch.keySums);
        scratch.valueTotals.addTo(scratch.valueSums);
        write(gradients.key(), scratch.keySums, keyStep, batch, kvHead);
        write(gradients.value(), scratch.valueSums, valueStep, batch, kvHead);
    }

    private static float[] cleared(float[] array, int length) {
        float[] enough = ArrayGrowth.atLeast(array, length);
        Arrays.fill(enough, 0, length, 0);
        return enough;
    }

    private static void write(Tensor gradient, float[] sums, int step, long batch, long kvHead) {
        int width = (int) gradient.size(3);
        for (long j = 0; j < gradient.size(2); j++) {
            long position = gradient.position(batch, kvHead, j, 0);
            Rows.write(sums, (int) j * step, gradient, position, gradient.stride(3), width);
        }
    }

    private Panel panel(Scratch scratch, long batch, long head, long from) {
        int keyWidth = (int) Math.max(shape.headDim(), shape.keyHeadDim());
        int valueWidth = (int) shape.valueHeadDim();
        Panel panel = Panel.of(scratch, 1, call.tiles.tileKeys()).getFirst();
        scratch.row = ArrayGrowth.atLeast(scratch.row, Math.max(keyWidth, valueWidth));
        call.moveTo(panel, batch, head, from);
        panel.clearSums(keyWidth);
        scratch.packed = ArrayGrowth.atLeast(scratch.packed, valueWidth * PANEL);
        panel.pack(outputGradient, 1, scratch.packed);
        padRows(scratch.queries, call.inputs.query(), panel);
        padRows(scratch.gradients, outputGradient, panel);
        scratch.deltas = cleared(scratch.deltas, PANEL);
        beginPairs(scratch, panel);

        long first = call.mask.firstKey(batch, head, from, panel.to()) / Lanes.TILE * Lanes.TILE;
        long end = call.mask.endKey(batch, head, from, panel.to());
        int length = given ? SHORT_STRIP : STRIP;
        int room = (int) Math.max(1, Math.min(length, end - first)) * PANEL;
        scratch.strip = ArrayGrowth.atLeast(scratch.strip, room);
        scratch.secondStrip = ArrayGrowth.atLeast(scratch.secondStrip, room);
        scratch.masked = scratch.masked.length == 0 ? new boolean[STRIP / Lanes.TILE] : scratch.masked;
        scratch.empty = scratch.empty.length == 0 ? new boolean[STRIP / Lanes.TILE] : scratch.empty;
        Strip strip = new Strip(scratch, panel);
        boolean once = !given && end - first <= length;
        for (long j = first; j < end && !given; j += length) {
            strip.fill(j, Math.min(end, j + length));
            strip.read();
        }
        strip.finishStatistics();
        for (long j = first; j < end; j += length) {
            if (!once) {
                strip.fill(j, Math.min(end, j + length));
            }
            strip.spread(once);
            if (!once && call.meeting == null) {
                panel.addToTotals(keyWidth);
            }
        }
        if (call.meeting == null) {
            panel.addTotals();
            panel.write(gradients.query(), ONES, 0);
        } else {
            endPairs(scratch.pairs, panel);
        }
        return panel;
    }

    /** Prepares the rows and sums for a pairwise score other than the dot product; its gradients are added row by row. */
    private void beginPairs(Scratch scratch, Panel panel) {
        if (call.meeting != null) {
            PairRows pairs = scratch.pairs;
            pairs.width = PairRows.padded(shape.headDim());
            pairs.queries = scratch.queries.data;
            pairs.queryStep = scratch.queries.step;
            pairs.querySums = cleared(pairs.querySums, panel.queries * pairs.queryStep);
            pairs.parameterSums = F64Scratch.cleared(pairs.parameterSums, pairs.width);
        }
    }

    private void endPairs(PairRows pairs, Panel panel) {
        Tensor gradient = gradients.query();
        for (int i = 0; i < panel.queries; i++) {
            long position = gradient.position(panel.batch, panel.head, panel.from + i, 0);
            int width = (int) shape.headDim();
            Rows.write(pairs.querySums, i * pairs.queryStep, gradient, position, gradient.stride(3), width);
        }
        int cell = (int) ((panel.batch * shape.numHeads() + panel.head) * shape.headDim());
        for (int d = 0; d < shape.headDim() && sums.parameter.length > 0; d++) {
            sums.parameter[cell + d] += pairs.parameterSums[d];
        }
    }

    /** Copies the rows of a panel's queries or output gradients, padded with zeros to whole panels of columns. */
    private static void padRows(Rows rows, Tensor tensor, Panel panel) {
        int width = (int) tensor.size(3);
        int step = Lanes.panels(width) * PANEL;
        rows.data = cleared(rows.data, panel.queries * step);
        rows.at = 0;
        rows.step = step;
        for (int i = 0; i < panel.queries; i++) {
            long position = tensor.position(panel.batch, panel.head, panel.from + i, 0);
            Rows.read(tensor, position, tensor.stride(3), rows.data, i * step, width);
        }
    }

    /** The tiles of one strip of keys, for one panel of queries. */
    private final class Strip {
        private final Scratch scratch;
        private final Panel panel;
        private long start;
        private long end;
        private boolean plainQueries;
        private boolean plainGradients;

        Strip(Scratch scratch, Panel panel) {
            this.scratch = scratch;
            this.panel = panel;
        }

        private interface TileVisitor {
            void visit(long keyFrom, int keys, int at, boolean masked);
        }

        private void forEachTile(TileVisitor visitor) {
            for (long j = start; j < end; j += Lanes.TILE) {
                int tile = (int) (j - start) / Lanes.TILE;
                if (!scratch.empty[tile]) {
                    int keys = (int) Math.min(Lanes.TILE, end - j);
                    visitor.visit(j, keys, (int) (j - start) * PANEL, scratch.masked[tile]);
                }
            }
        }

        /** Computes the scores and the gradients of the weights for keys {@code [start, end)}. */
        void fill(long start, long end) {
            this.start = start;
            this.end = end;
            int width = (int) shape.valueHeadDim();
            long kvHead = panel.head / shape.groupSize();
            for (long j = start; j < end; j += Lanes.TILE) {
                int tile = (int) (j - start) / Lanes.TILE;
                int at = (int) (j - start) * PANEL;
                int keys = (int) Math.min(Lanes.TILE, end - j);
                TileCover cover = call.mask.cover(panel.batch, panel.head, panel.from, panel.to(), j, j + keys);
                scratch.empty[tile] = cover == TileCover.EMPTY;
                if (cover == TileCover.EMPTY) {
                    continue;
                }
                Rows keyRows = scratch.keys;
                keyRows.load(call.inputs.key(), call.keyArray, panel.batch, kvHead, j, j + keys);
                scratch.masked[tile] = Prefill.scores(call, panel, keyRows, scratch.strip, at, j, keys, cover);
                Rows values = scratch.values;
                values.load(call.inputs.value(), call.valueArray, panel.batch, kvHead, j, j + keys);
                KERNELS.product(
                        values.data,
                        values.at,
                        values.step,
                        1,
                        keys,
                        scratch.packed,
                        0,
                        PANEL,
                        width,
                        scratch.secondStrip,
                        at,
                        PANEL);
                if (call.options.dropout() > 0) {
                    call.drop(panel, scratch.secondStrip, at, j, keys);
                }
            }
        }

        /** Adds the strip to the statistics and the deltas, and turns its scores into weights relative to the maxima. */
        void read() {
            float c = call.modifier.factor;
            forEachTile((keyFrom, keys, at, masked) -> {
                if (KERNELS.raiseMaxima(scratch.strip, at, keys, c, panel.statistics)) {
                    for (int i = 0; i < PANEL; i++) {
                        scratch.deltas[i] *= panel.statistics[2 * PANEL + i];
                    }
                }
            });
            forEachTile((keyFrom, keys, at, masked) -> {
                KERNELS.weigh(scratch.strip, at, keys, c, panel.statistics);
                KERNELS.addWeighted(scratch.strip, scratch.secondStrip, at, keys, scratch.deltas);
            });
        }

        /**
         * Computes the inverse sums, sink included, and divides the deltas by the sums; overwrites the factors in the
         * statistics with the gradients of the LSE; adds to the gradient of the sink. For rows whose forward result includes
         * other keys, uses its statistics instead.
         */
        void finishStatistics() {
            float[] st = panel.statistics;
            Tensor sink = call.options.sink();
            double logit = sink == null ? Double.NEGATIVE_INFINITY : sink.get(panel.head);
            for (int i = 0; i < panel.queries; i++) {
                if (given && rowMax != null && rowSum != null) {
                    useGiven(i, logit, rowMax, rowSum);
                    continue;
                }
                double max = (double) st[i] * call.modifier.unit;
                boolean empty = st[PANEL + i] == 0;
                double sinkTerm = empty ? 0 : Math.exp(logit - max);
                double sum = st[PANEL + i] + sinkTerm;
                double dLse = lseGradient == null ? 0 : lseGradient.get(panel.batch, panel.head, panel.from + i);
                double weighted = empty ? 0 : scratch.deltas[i] / sum;
                st[3 * PANEL + i] = empty ? 0 : (float) (1 / sum);
                scratch.deltas[i] = (float) weighted;
                st[2 * PANEL + i] = (float) dLse; // not combined with delta, so that dS is exactly dLSE if P = 1
                if (empty) { // all keys are masked: the query and its output gradient may be NaN
                    clearRow(scratch.queries, i);
                    clearRow(scratch.gradients, i);
                }
                if (logit != Double.NEGATIVE_INFINITY) {
                    double weight = empty ? 1 : Double.isInfinite(sum) ? 1 : sinkTerm / sum;
                    sums.sink[(int) (panel.batch * shape.numHeads() + panel.head)] += weight * (dLse - weighted);
                }
            }
            plainQueries = scratch.queries.finite(panel.queries, scratch.queries.step);
            plainGradients = scratch.gradients.finite(panel.queries, scratch.gradients.step);
        }

        /** Takes the maximum and the sum of a row from the forward result, and delta from its output. */
        private void useGiven(int i, double logit, Tensor maxima, Tensor rowSums) {
            float[] st = panel.statistics;
            float unit = call.modifier.unit;
            double m = maxima.get(panel.batch, panel.head, panel.from + i);
            double l = rowSums.get(panel.batch, panel.head, panel.from + i);
            double dLse = lseGradient == null ? 0 : lseGradient.get(panel.batch, panel.head, panel.from + i);
            double sinkWeight = logit == Double.NEGATIVE_INFINITY || l == 0 ? 0 : Math.exp(logit - m) / l;
            float local = l == 0 ? Kernels.NOTHING : Math.clamp((float) (m / unit), -LARGEST, LARGEST);
            double inverse = l == 0 ? 0 : Math.exp((double) local * unit - m) / l;
            float delta = l == 0 ? 0 : delta(i);
            double accurateDelta = 0; // the sink sums the deltas of all rows
            for (int d = 0; d < shape.valueHeadDim() && l != 0 && logit != Double.NEGATIVE_INFINITY; d++) {
                double o = scratch.row[d];
                accurateDelta += o == 0 ? 0 : o * scratch.packed[d * PANEL + i];
            }
            if (l == 0) { // all keys are masked: the query and its output gradient may be NaN
                clearRow(scratch.queries, i);
                clearRow(scratch.gradients, i);
            }
            st[i] = local;
            st[PANEL + i] = 1;
            st[2 * PANEL + i] = (float) dLse;
            st[3 * PANEL + i] = (float) inverse;
            scratch.deltas[i] = delta;
            if (logit != Double.NEGATIVE_INFINITY) {
                sums.sink[(int) (panel.batch * shape.numHeads() + panel.head)] += sinkWeight * (dLse - accurateDelta);
            }
        }

        /**
         * {@return the sum of {@code dO * O} of a row, in the order of the elements, like dP} If one key has all the weight, O
         * is its value, and delta equals dP exactly. An element of O that is exactly 0, as in a row without attended keys,
         * adds nothing, even if its gradient is non-finite.
         */
        private float delta(int i) {
            int width = (int) shape.valueHeadDim();
            long position = output.position(panel.batch, panel.head, panel.from + i, 0);
            Rows.read(output, position, output.stride(3), scratch.row, 0, width);
            float sum = 0;
            for (int d = 0; d < width; d++) {
                if (scratch.row[d] != 0) {
                    sum = Lanes.fma(scratch.row[d], scratch.packed[d * PANEL + i], sum);
                }
            }
            return sum;
        }

        private static void clearRow(Rows rows, int i) {
            Arrays.fill(rows.data, i * rows.step, (i + 1) * rows.step, 0);
        }

        /**
         * Turns the gradients of the weights into gradients of the scores and adds the contribution of the strip to all
         * sums. If {@code weighed}, the strip already contains weights relative to the maxima, else scores.
         */
        void spread(boolean weighed) {
            forEachTile((keyFrom, keys, at, masked) -> {
                float[] weights = scratch.strip;
                float[] scores = scratch.secondStrip;
                if (weighed) {
                    KERNELS.normalise(weights, at, keys, panel.statistics);
                } else {
                    KERNELS.finish(weights, at, keys, call.modifier.factor, panel.statistics);
                }
                KERNELS.scoreGradients(weights, scores, at, scratch.deltas, panel.statistics, keys);
                addToBias(scores, at, keyFrom, keys);
                Rows rows = scratch.keys;
                long kvHead = panel.head / shape.groupSize();
                rows.load(call.inputs.key(), call.keyArray, panel.batch, kvHead, keyFrom, keyFrom + keys);
                if (capped != null) {
                    Prefill.scores(capped, panel, rows, panel.tile, 0, keyFrom, keys, TileCover.FULL);
                    call.modifier.multiplyDerivatives(scores, at, panel.tile, keys);
                    KERNELS.clearMasked(weights, scores, at, keys);
                }
                KERNELS.scale(scores, at, keys, scale);
                boolean dropped = call.options.dropout() > 0;
                if (dropped) {
                    call.drop(panel, weights, at, keyFrom, keys);
                }
                addProducts(
                        weights,
                        at,
                        keys,
                        scratch.gradients,
                        panel.queries,
                        scratch.valueSums,
                        keyFrom,
                        plainGradients || !masked && !dropped);
                if (call.meeting != null) {
                    score(call.meeting, scores, at, keyFrom, keys, rows);
                    return;
                }
                addProducts(
                        scores,
                        at,
                        keys,
                        scratch.queries,
                        panel.queries,
                        scratch.keySums,
                        keyFrom,
                        plainQueries || !masked);
                Prefill.pool(rows, keys, (int) shape.headDim(), scores, at, panel.sums, masked);
            });
        }

        private void score(Meeting how, float[] scores, int at, long keyFrom, int keys, Rows rows) {
            PairRows pairs = scratch.pairs;
            int width = (int) shape.keyHeadDim();
            pairs.loadKeys(rows.data, rows.at, rows.step, keys, width);
            pairs.keySums = scratch.keySums;
            pairs.keySumsStep = Lanes.panels(width) * PANEL;
            pairs.keySumsAt = (int) keyFrom * pairs.keySumsStep;
            boolean plain = plainQueries && rows.finite(keys, width);
            how.gradients(panel.head, scores, at, keys, panel.queries, plain, pairs);
        }

        private void addToBias(float[] scores, int at, long keyFrom, int keys) {
            if (sums.biasCells == null) {
                return;
            }
            long corner = sums.biasCells.position(panel.batch, panel.head, panel.from, keyFrom);
            for (int j = 0; j < keys; j++) {
                for (int i = 0; i < panel.queries; i++) {
                    int cell = (int) (corner + i * sums.biasCells.stride(2) + j * sums.biasCells.stride(3));
                    if (biasSums != null) {
                        biasSums[cell] += scores[at + j * PANEL + i];
                    } else if (biasElements != null) {
                        biasElements[cell] = scores[at + j * PANEL + i];
                    }
                }
            }
        }
    }

    /**
     * Computes {@code sums [key][width] += tile rows}; the rows must be padded to whole panels of columns. If not
     * {@code plain}, rows of weight 0 are not read.
     */
    private static void addProducts(
            float[] tile, int at, int keys, Rows rows, int queries, float[] sums, long keyFrom, boolean plain) {
        int to = (int) keyFrom * rows.step;
        if (!plain) {
            addAttended(tile, at, keys, rows, queries, sums, to);
            return;
        }
        for (int column = 0; column < rows.step; column += PANEL) {
            KERNELS.accumulate(
                    tile, at, PANEL, 1, keys, rows.data, column, rows.step, queries, sums, to + column, rows.step);
        }
    }

    /**
     * Computes the sums of {@link #addProducts}, in the same order, for rows that may be non-finite; a row with a weight of
     * exactly 0 is not read.
     */
    private static void addAttended(float[] tile, int at, int keys, Rows rows, int queries, float[] sums, int to) {
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < queries; i++) {
                float weight = tile[at + j * PANEL + i];
                for (int d = 0; d < rows.step && weight != 0; d++) {
                    int cell = to + j * rows.step + d;
                    sums[cell] = Lanes.fma(weight, rows.data[i * rows.step + d], sums[cell]);
                }
            }
        }
    }
}
