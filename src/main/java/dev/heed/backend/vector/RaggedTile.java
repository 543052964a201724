package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;

import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.mask.TileCover;
import java.util.Arrays;

/**
 * The computation of ragged tiles. In a ragged tile, each vector of queries attends only to keys of its own run, a
 * contiguous range of the tile's keys. Ragged tiles occur along a causal diagonal, at the edge of a window, and in a panel
 * with few queries. Each of the four vectors of a panel (v0 to v3) is computed separately, over its run (##):
 *
 * <pre>
 *            v0 v1 v2 v3                 v0 v1 v2 v3
 *    keys    ## ## ## ##         keys    ## .  .  .
 *            .  ## ## ##                 ## .  .  .
 *            .  .  ## ##                 ## .  .  .
 *            .  .  .  ##                 ## .  .  .
 *            causal                      16 queries
 * </pre>
 */
final class RaggedTile {
    /** Granularity of runs, in keys: two blocks of eight rows in {@link Kernels#narrowProduct}. */
    private static final int STEP = 16;

    private RaggedTile() {}

    /**
     * {@return whether the tile should be computed run by run} This requires vector code, dot products, no dropout, and
     * runs that have at most three quarters of the tile's cells. The limit is below 1 because the narrow product is a sixth
     * slower than the product of a whole panel. If the result is true, the runs are stored in the panel.
     */
    static boolean suits(PanelCall call, Panel panel, long keyFrom, int keys, TileCover cover) {
        boolean few = panel.queries <= PANEL - V;
        if (call.meeting != null
                || !KERNELS.narrow()
                || call.options.dropout() > 0
                || (cover == TileCover.FULL && !few)) {
            return false;
        }
        int cells = 0;
        for (int v = 0; v < PANEL / V; v++) {
            long from = panel.from + v * V;
            long to = Math.min(from + V, panel.to());
            int first = 0;
            int end = from < to ? keys : 0;
            if (cover == TileCover.PARTIAL) {
                while (first < end && isEmpty(call, panel, from, to, keyFrom, first, Math.min(first + STEP, end))) {
                    first = Math.min(first + STEP, end);
                }
                while (first < end && isEmpty(call, panel, from, to, keyFrom, (end - 1) / STEP * STEP, end)) {
                    end = (end - 1) / STEP * STEP;
                }
            }
            panel.runFrom[v] = first;
            panel.runTo[v] = end;
            cells += end - first;
        }
        return cells <= keys * (PANEL / V) * 3 / 4;
    }

    private static boolean isEmpty(PanelCall call, Panel panel, long from, long to, long keyFrom, int first, int end) {
        return call.mask.cover(panel.batch, panel.head, from, to, keyFrom + first, keyFrom + end) == TileCover.EMPTY;
    }

    /** Adds the tile to the panel's statistics and weighted sums, run by run. */
    static void read(PanelCall call, Panel panel, Rows rows, Rows values, long keyFrom, int keys, TileCover cover) {
        float[] tile = panel.tile;
        int headDim = (int) call.shape.headDim();
        for (int v = 0; v < PANEL / V; v++) {
            int from = panel.runFrom[v];
            int count = panel.runTo[v] - from;
            int at = rows.at + from * rows.step;
            int to = from * PANEL + v * V;
            KERNELS.narrowProduct(
                    false, rows.data, at, rows.step, 1, count, panel.packed, v * V, headDim, tile, to, PANEL);
        }
        if (call.modifier.active) {
            call.modifier.apply(panel, tile, 0, keyFrom, keys);
        }
        if (cover == TileCover.PARTIAL) {
            call.mask.maskScores(
                    panel.batch, panel.head, panel.from, panel.to(), keyFrom, keyFrom + keys, tile, 0, PANEL);
        }
        boolean rescales = false;
        Arrays.fill(panel.statistics, 2 * PANEL, 3 * PANEL, 1);
        for (int v = 0; v < PANEL / V; v++) {
            rescales |= panel.runFrom[v] < panel.runTo[v]
                    && KERNELS.readRun(
                            tile, v * V, panel.runFrom[v], panel.runTo[v], call.modifier.factor, panel.statistics);
        }
        int width = (int) call.shape.valueHeadDim();
        boolean masked = cover == TileCover.PARTIAL || call.modifier.mayMask();
        boolean skips = masked && !values.finite(keys, width);
        boolean overwrites = panel.fresh && !skips && everyQueryHasARun(panel);
        if (panel.fresh && !overwrites) {
            panel.clearSums(width);
        } else if (!panel.fresh && rescales) {
            KERNELS.rescale(panel.sums, width, panel.statistics);
        }
        panel.fresh = false;
        if (skips) {
            clearOutsideRuns(panel, keys);
            KERNELS.poolAttended(values.data, values.at, values.step, keys, width, tile, 0, panel.sums);
            return;
        }
        for (int v = 0; v < PANEL / V; v++) {
            int from = panel.runFrom[v];
            int count = panel.runTo[v] - from;
            if (count > 0) {
                int at = values.at + from * values.step;
                int of = from * PANEL + v * V;
                KERNELS.narrowProduct(
                        !overwrites, values.data, at, 1, values.step, width, tile, of, count, panel.sums, v * V, PANEL);
            }
        }
    }

    private static boolean everyQueryHasARun(Panel panel) {
        for (int v = 0; v * V < panel.queries; v++) {
            if (panel.runFrom[v] == panel.runTo[v]) {
                return false;
            }
        }
        return true;
    }

    private static void clearOutsideRuns(Panel panel, int keys) {
        for (int v = 0; v < PANEL / V; v++) {
            for (int j = 0; j < keys; j++) {
                if (j < panel.runFrom[v] || j >= panel.runTo[v]) {
                    Arrays.fill(panel.tile, j * PANEL + v * V, j * PANEL + (v + 1) * V, 0);
                }
            }
        }
    }
}
