package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;
import static dev.heed.backend.vector.f64.F64Lanes.PANEL;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A panel in f64: up to PANEL queries of one head, one per lane, with their strip. The strip is an array
 * {@code [key][query]} in scratch memory for all keys to which any of the queries may attend; in decode, only
 * the keys of one split. It first holds scores, then weights.
 *
 * <p>Tiles begin at multiples of {@link F64Call#TILE}, so the bits of a row depend on the row alone, not on the other rows
 * of its panel.
 *
 * <p>The strip of all keys stays in memory, up to PANEL doubles per key. So weights are computed once for all outputs, and
 * the gradients use the same weights as the deltas.
 */
final class F64Panel {
    final F64Call call;
    final F64Scratch scratch;
    final long batch;
    final long head;
    final long from;
    final int queries;

    /** The distance between keys in the strip: the number of queries, rounded up to whole vectors. */
    final int lanes;

    /** Number of tiles in the strip. */
    final int tiles;

    private final long first;
    private final long end;

    F64Panel(F64Call call, F64Scratch scratch, long batch, long head, long from, int queries) {
        this(call, scratch, batch, head, from, queries, 0, call.shape.seqLenKv());
    }

    /** Creates a panel with only keys {@code [keyFrom, keyTo)}; {@code keyFrom} must be a multiple of the tile size. */
    F64Panel(
            F64Call call, F64Scratch scratch, long batch, long head, long from, int queries, long keyFrom, long keyTo) {
        this.call = call;
        this.scratch = scratch;
        this.batch = batch;
        this.head = head;
        this.from = from;
        this.queries = queries;
        this.lanes = F64Lanes.lanes(queries);
        long firstAttended = call.mask.firstKey(batch, head, from, from + queries) / F64Call.TILE * F64Call.TILE;
        long endAttended = call.mask.endKey(batch, head, from, from + queries);
        this.first = Math.max(keyFrom, firstAttended);
        this.end = Math.max(first, Math.min(keyTo, endAttended));
        this.tiles = (int) ((end - first + F64Call.TILE - 1) / F64Call.TILE);
        scratch.packed = F64Call.pack(call.inputs.query(), batch, head, from, queries, scratch, scratch.packed);
        scratch.weights = ArrayGrowth.atLeast(scratch.weights, room());
        scratch.empty = scratch.empty.length >= tiles ? scratch.empty : new boolean[tiles];
        scratch.masked = scratch.masked.length >= tiles ? scratch.masked : new boolean[tiles];
    }

    /** {@return the number of doubles in the strip} */
    int room() {
        return Math.multiplyExact(Math.max(1, tiles), F64Call.TILE * lanes);
    }

    long keyFrom(int tile) {
        return first + (long) tile * F64Call.TILE;
    }

    int keys(int tile) {
        return (int) Math.min(F64Call.TILE, end - keyFrom(tile));
    }

    /** {@return the offset of a tile in the strip} */
    int at(int tile) {
        return tile * F64Call.TILE * lanes;
    }

    /**
     * Fills the strip with scores after softcap, bias, ALiBi and mask, and finds the row maxima. Writes the derivatives of
     * the softcap to {@code derivatives}, if not null.
     */
    void score(double @Nullable [] derivatives) {
        double[] strip = scratch.weights;
        Arrays.fill(scratch.maxima, F64Kernels.NOTHING);
        for (int t = 0; t < tiles; t++) {
            long j = keyFrom(t);
            int keys = keys(t);
            int at = at(t);
            TileCover cover = call.mask.cover(batch, head, from, from + queries, j, j + keys);
            scratch.empty[t] = cover == TileCover.EMPTY;
            if (cover != TileCover.EMPTY) {
                if (call.meeting != null) {
                    Arrays.fill(strip, at, at + keys * lanes, 0);
                }
                if (call.meeting != null && cover == TileCover.PARTIAL) {
                    call.maskScores(scratch, strip, at, lanes, batch, head, from, queries, j, keys);
                }
                call.score(scratch, batch, head, j, keys, strip, at, lanes, queries);
                call.cap(strip, at, keys, lanes, queries, derivatives);
                call.addBias(strip, at, lanes, batch, head, from, queries, j, keys);
                if (cover == TileCover.PARTIAL) {
                    call.maskScores(scratch, strip, at, lanes, batch, head, from, queries, j, keys);
                }
                KERNELS.raiseMaxima(strip, at, keys, lanes, scratch.maxima);
            }
        }
    }

    /**
     * Replaces scores with weights {@code e^(score - maximum)}. Computes their sums, sinks included, and the inverses of the
     * sums (0 if the sum is 0).
     */
    void weigh() {
        weigh(sink());
    }

    /**
     * Computes {@link #weigh()} with given maxima and sums, which may include other keys. A score that exceeds the given maximum
     * by rounding raises the maximum.
     */
    void weigh(Tensor rowMax, Tensor rowSum) {
        Arrays.fill(scratch.inverses, 0);
        for (int i = 0; i < queries; i++) {
            double sum = rowSum.get(batch, head, from + i);
            if (sum != 0) {
                scratch.maxima[i] = Math.max(scratch.maxima[i], rowMax.get(batch, head, from + i));
                scratch.inverses[i] = 1 / sum;
            }
        }
        for (int t = 0; t < tiles; t++) {
            if (!scratch.empty[t]) {
                scratch.masked[t] = KERNELS.weigh(scratch.weights, at(t), keys(t), lanes, scratch.maxima, scratch.sums);
            }
        }
    }

    /** Computes {@link #weigh()} with another logit for the sink; minus infinity means no sink. */
    void weigh(double sink) {
        Arrays.fill(scratch.sums, 0);
        if (sink != Double.NEGATIVE_INFINITY) {
            for (int i = 0; i < PANEL; i++) {
                scratch.maxima[i] = Math.max(scratch.maxima[i], sink);
                scratch.sums[i] = Math.exp(sink - scratch.maxima[i]);
            }
        }
        for (int t = 0; t < tiles; t++) {
            if (!scratch.empty[t]) {
                scratch.masked[t] = KERNELS.weigh(scratch.weights, at(t), keys(t), lanes, scratch.maxima, scratch.sums);
            }
        }
        for (int i = 0; i < PANEL; i++) {
            scratch.inverses[i] = scratch.sums[i] == 0 ? 0 : 1 / scratch.sums[i];
        }
    }

    /** Multiplies the weights of a tile by the inverse sums, so that the weights of a row, sink included, sum to 1. */
    void normalise(int tile) {
        KERNELS.normalise(scratch.weights, at(tile), keys(tile), lanes, scratch.inverses);
    }

    /** {@return the logit of the sink; minus infinity without one} */
    double sink() {
        Tensor sink = call.options.sink();
        return sink == null ? Double.NEGATIVE_INFINITY : sink.get(head);
    }

    /** Applies dropout to the weights of a tile, or to their gradients. */
    void drop(double[] strip, int tile) {
        call.drop(strip, at(tile), lanes, batch, head, from, queries, keyFrom(tile), keys(tile));
    }

    /** Points {@code scratch.keys} at the keys of a tile. */
    void loadKeys(int tile) {
        load(scratch.keys, call.inputs.key(), call.keyArray, tile);
    }

    /** Points {@code scratch.values} at the values of a tile. */
    void loadValues(int tile) {
        load(scratch.values, call.inputs.value(), call.valueArray, tile);
    }

    private void load(F64Rows rows, Tensor tensor, double @Nullable [] array, int tile) {
        long kvHead = head / call.shape.groupSize();
        rows.load(tensor, array, batch, kvHead, keyFrom(tile), keyFrom(tile) + keys(tile));
    }

    /**
     * Adds to {@code sums [width][query]} the product of the transposed rows of a tile and the tile's cells in the strip. If
     * {@code masked}, a non-finite element is not added to the sums of queries for which its row is masked.
     */
    void pool(F64Rows rows, int width, double[] strip, int tile, boolean masked, double[] sums) {
        int at = at(tile);
        int keys = keys(tile);
        if (masked && !rows.finite(keys, width)) {
            KERNELS.accumulateAttended(
                    false, rows.data, rows.at, 1, rows.step, width, strip, at, lanes, keys, sums, 0, lanes, lanes);
        } else {
            KERNELS.accumulate(rows.data, rows.at, 1, rows.step, width, strip, at, lanes, keys, sums, 0, lanes, lanes);
        }
    }

    /** Writes sums {@code [width][query]} to the panel's rows of a tensor. */
    void write(double[] sums, Tensor tensor) {
        int width = (int) tensor.size(3);
        scratch.row = ArrayGrowth.atLeast(scratch.row, width);
        for (int i = 0; i < queries; i++) {
            for (int d = 0; d < width; d++) {
                scratch.row[d] = sums[d * lanes + i];
            }
            F64Rows.write(scratch.row, 0, tensor, tensor.position(batch, head, from + i, 0), tensor.stride(3), width);
        }
    }
}
