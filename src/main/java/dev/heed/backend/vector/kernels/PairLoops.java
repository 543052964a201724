package dev.heed.backend.vector.kernels;

/** Entry points of the inner loops for pairwise scores other than the dot product; see {@link Loops}. */
public final class PairLoops {
    private PairLoops() {}

    public static void tanhs(
            float[] keys, int from, int step, int count, float[] packed, int width, float[] v, float[] tile, int at) {
        if (Lanes.SCALAR) {
            ScalarPairs.tanhs(keys, from, step, count, packed, width, v, tile, at);
        } else {
            PairTile.tanhs(keys, from, step, count, packed, width, v, tile, at);
        }
    }

    public static void distances(
            float[] keys,
            int from,
            int step,
            int count,
            float[] packed,
            int width,
            float factor,
            float[] tile,
            int at) {
        if (Lanes.SCALAR) {
            ScalarPairs.distances(keys, from, step, count, packed, width, factor, tile, at);
        } else {
            PairTile.distances(keys, from, step, count, packed, width, factor, tile, at);
        }
    }

    public static void tanhRow(
            float[] q,
            int qOffset,
            PairRows r,
            int firstKey,
            int count,
            float[] v,
            float[] scores,
            int at,
            float[] lanes) {
        int k = firstKey * r.keyStep;
        if (Lanes.SCALAR) {
            ScalarPairs.tanhRow(q, qOffset, r.keys, k, r.keyStep, count, r.keyStep, v, scores, at);
        } else {
            PairTile.tanhRow(q, qOffset, r.keys, k, r.keyStep, count, r.keyStep, v, scores, at, lanes);
        }
    }

    public static void distanceRow(
            float[] q,
            int qOffset,
            PairRows r,
            int firstKey,
            int count,
            float factor,
            float[] scores,
            int at,
            float[] lanes) {
        int k = firstKey * r.keyStep;
        if (Lanes.SCALAR) {
            ScalarPairs.distanceRow(q, qOffset, r.keys, k, r.keyStep, count, r.keyStep, factor, scores, at);
        } else {
            PairTile.distanceRow(q, qOffset, r.keys, k, r.keyStep, count, r.keyStep, factor, scores, at, lanes);
        }
    }

    public static void tanhGradients(
            float[] g, int at, int keys, int queries, PairRows r, int firstQuery, int firstKey, float[] v) {
        if (Lanes.SCALAR) {
            ScalarPairs.tanhGradients(g, at, keys, queries, r, firstQuery, firstKey, v);
        } else {
            PairTile.tanhGradients(g, at, keys, queries, r, firstQuery, firstKey, v);
        }
    }

    public static void distanceGradients(
            float[] g,
            int at,
            int keys,
            int queries,
            PairRows r,
            int firstQuery,
            int firstKey,
            float c,
            boolean squares) {
        if (Lanes.SCALAR) {
            ScalarPairs.distanceGradients(g, at, keys, queries, r, firstQuery, firstKey, c);
        } else {
            PairTile.distanceGradients(g, at, keys, queries, r, firstQuery, firstKey, c, squares);
        }
    }
}
