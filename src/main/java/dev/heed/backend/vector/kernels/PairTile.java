package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;

/**
 * The vector loops of pairwise scores other than the dot product (see {@code Meeting}). The loops for the scores of a
 * panel have one query per lane. The loops for the scores of one query and for gradients have one element of a row per
 * lane, with rows padded with zeros to whole vectors. Only the scores of one query are summed across lanes.
 */
interface PairTile extends Kernels {
    @Override
    default void tanhs(
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] packed,
            int width,
            float[] v,
            float[] tile,
            int at) {
        for (int j = 0; j < count; j++) {
            int k = keysOffset + j * step;
            for (int lane = 0; lane < PANEL; lane += 2 * V) {
                FloatVector s0 = FloatVector.zero(SPECIES);
                FloatVector s1 = FloatVector.zero(SPECIES);
                for (int d = 0, p = lane; d < width; d++, p += PANEL) {
                    float key = keys[k + d];
                    FloatVector factor = FloatVector.broadcast(SPECIES, v[d]);
                    FloatVector t0 =
                            Tanh.of(FloatVector.fromArray(SPECIES, packed, p).add(key));
                    FloatVector t1 = Tanh.of(
                            FloatVector.fromArray(SPECIES, packed, p + V).add(key));
                    s0 = FUSED ? t0.fma(factor, s0) : t0.mul(factor).add(s0);
                    s1 = FUSED ? t1.fma(factor, s1) : t1.mul(factor).add(s1);
                }
                s0.intoArray(tile, at + j * PANEL + lane);
                s1.intoArray(tile, at + j * PANEL + lane + V);
            }
        }
    }

    @Override
    default void distances(
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] packed,
            int width,
            float factor,
            float[] tile,
            int at) {
        int j = 0;
        for (; j + 2 <= count; j += 2) {
            int k = keysOffset + j * step;
            int to = at + j * PANEL;
            for (int lane = 0; lane < PANEL; lane += 2 * V) {
                FloatVector s0 = FloatVector.zero(SPECIES);
                FloatVector s1 = FloatVector.zero(SPECIES);
                FloatVector r0 = FloatVector.zero(SPECIES);
                FloatVector r1 = FloatVector.zero(SPECIES);
                for (int d = 0, p = lane; d < width; d++, p += PANEL) {
                    FloatVector q0 = FloatVector.fromArray(SPECIES, packed, p);
                    FloatVector q1 = FloatVector.fromArray(SPECIES, packed, p + V);
                    FloatVector key = FloatVector.broadcast(SPECIES, keys[k + d]);
                    FloatVector next = FloatVector.broadcast(SPECIES, keys[k + step + d]);
                    FloatVector d0 = q0.sub(key);
                    FloatVector d1 = q1.sub(key);
                    FloatVector e0 = q0.sub(next);
                    FloatVector e1 = q1.sub(next);
                    s0 = FUSED ? d0.fma(d0, s0) : d0.mul(d0).add(s0);
                    s1 = FUSED ? d1.fma(d1, s1) : d1.mul(d1).add(s1);
                    r0 = FUSED ? e0.fma(e0, r0) : e0.mul(e0).add(r0);
                    r1 = FUSED ? e1.fma(e1, r1) : e1.mul(e1).add(r1);
                }
                s0.mul(factor).intoArray(tile, to + lane);
                s1.mul(factor).intoArray(tile, to + lane + V);
                r0.mul(factor).intoArray(tile, to + PANEL + lane);
                r1.mul(factor).intoArray(tile, to + PANEL + lane + V);
            }
        }
        for (; j < count; j++) {
            for (int lane = 0; lane < PANEL; lane += V) {
                FloatVector sum = FloatVector.zero(SPECIES);
                for (int d = 0, p = lane; d < width; d++, p += PANEL) {
                    FloatVector apart =
                            FloatVector.fromArray(SPECIES, packed, p).sub(keys[keysOffset + j * step + d]);
                    sum = FUSED ? apart.fma(apart, sum) : apart.mul(apart).add(sum);
                }
                sum.mul(factor).intoArray(tile, at + j * PANEL + lane);
            }
        }
    }

    @Override
    default void tanhRow(
            float[] q,
            int qOffset,
            PairRows r,
            int firstKey,
            int count,
            float[] v,
            float[] scores,
            int at,
            float[] lanes) {
        float[] keys = r.keys;
        int step = r.keyStep;
        for (int j = 0; j < count; j++) {
            FloatVector sum = FloatVector.zero(SPECIES);
            for (int d = 0; d < step; d += V) {
                FloatVector key = FloatVector.fromArray(SPECIES, keys, (firstKey + j) * step + d);
                FloatVector t =
                        Tanh.of(FloatVector.fromArray(SPECIES, q, qOffset + d).add(key));
                sum = FUSED
                        ? t.fma(FloatVector.fromArray(SPECIES, v, d), sum)
                        : t.mul(FloatVector.fromArray(SPECIES, v, d)).add(sum);
            }
            sum.intoArray(lanes, 0);
            scores[at + j] = sum(lanes);
        }
    }

    @Override
    default void distanceRow(
            float[] q,
            int qOffset,
            PairRows r,
            int firstKey,
            int count,
            float factor,
            float[] scores,
            int at,
            float[] lanes) {
        float[] keys = r.keys;
        int step = r.keyStep;
        for (int j = 0; j < count; j++) {
            FloatVector sum = FloatVector.zero(SPECIES);
            for (int d = 0; d < step; d += V) {
                FloatVector key = FloatVector.fromArray(SPECIES, keys, (firstKey + j) * step + d);
                FloatVector apart =
                        FloatVector.fromArray(SPECIES, q, qOffset + d).sub(key);
                sum = FUSED ? apart.fma(apart, sum) : apart.mul(apart).add(sum);
            }
            sum.intoArray(lanes, 0);
            scores[at + j] = sum(lanes) * factor;
        }
    }

    /** {@return the sum of the lanes of one vector, by repeatedly adding the upper half to the lower half} */
    private static float sum(float[] lanes) {
        for (int half = V / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[half + i];
            }
        }
        return lanes[0];
    }

    @Override
    default void tanhGradients(
            float[] g, int at, int keys, int queries, PairRows r, int firstQuery, int firstKey, float[] v) {
        for (int d = 0; d < r.width; d += V) {
            FloatVector factor = FloatVector.fromArray(SPECIES, v, d);
            for (int i = 0; i < queries; i++) {
                int row = (firstQuery + i) * r.queryStep + d;
                FloatVector q = FloatVector.fromArray(SPECIES, r.queries, row);
                FloatVector dq = FloatVector.fromArray(SPECIES, r.querySums, row);
                FloatVector dv = FloatVector.zero(SPECIES);
                int k = firstKey * r.keyStep + d;
                int to = r.keySumsAt + firstKey * r.keySumsStep + d;
                for (int j = 0; j < keys; j++) {
                    FloatVector gradient = FloatVector.broadcast(SPECIES, g[at + j * PANEL + i]);
                    FloatVector t =
                            Tanh.of(FloatVector.fromArray(SPECIES, r.keys, k).add(q));
                    FloatVector gt = t.mul(gradient);
                    dv = dv.add(gt);
                    FloatVector u = gradient.sub(gt.mul(t)).mul(factor);
                    dq = dq.add(u);
                    FloatVector.fromArray(SPECIES, r.keySums, to).add(u).intoArray(r.keySums, to);
                    k += r.keyStep;
                    to += r.keySumsStep;
                }
                dq.intoArray(r.querySums, row);
                dv.intoArray(r.lanes, 0);
                r.addToParameter(d);
            }
        }
    }

    @Override
    default void distanceGradients(
            float[] g,
            int at,
            int keys,
            int queries,
            PairRows r,
            int firstQuery,
            int firstKey,
            float c,
            boolean squares) {
        for (int d = 0; d < r.width; d += V) {
            int i = 0;
            for (; !squares && i + 4 <= queries; i += 4) {
                fourDistances(g, at + i, keys, r, (firstQuery + i) * r.queryStep + d, firstKey, d, c);
            }
            for (; i < queries; i++) {
                int row = (firstQuery + i) * r.queryStep + d;
                FloatVector q = FloatVector.fromArray(SPECIES, r.queries, row);
                FloatVector dq = FloatVector.fromArray(SPECIES, r.querySums, row);
                FloatVector sum = FloatVector.zero(SPECIES);
                int k = firstKey * r.keyStep + d;
                int to = r.keySumsAt + firstKey * r.keySumsStep + d;
                for (int j = 0; j < keys; j++) {
                    float gradient = g[at + j * PANEL + i];
                    FloatVector apart = q.sub(FloatVector.fromArray(SPECIES, r.keys, k));
                    FloatVector u = FloatVector.broadcast(SPECIES, gradient * c);
                    dq = FUSED ? apart.fma(u.neg(), dq) : apart.mul(u.neg()).add(dq);
                    (FUSED
                                    ? apart.fma(u, FloatVector.fromArray(SPECIES, r.keySums, to))
                                    : apart.mul(u).add(FloatVector.fromArray(SPECIES, r.keySums, to)))
                            .intoArray(r.keySums, to);
                    sum = FUSED
                            ? apart.mul(gradient).fma(apart, sum)
                            : apart.mul(gradient).mul(apart).add(sum);
                    k += r.keyStep;
                    to += r.keySumsStep;
                }
                dq.intoArray(r.querySums, row);
                sum.intoArray(r.lanes, 0);
                r.addToParameter(d);
            }
        }
    }

    /**
     * Computes {@link #distanceGradients} without squares for four queries, with one load and store per key; the order
     * of the sums is the same.
     */
    private static void fourDistances(
            float[] g, int at, int keys, PairRows r, int row, int firstKey, int column, float c) {
        int step = r.queryStep;
        FloatVector q0 = FloatVector.fromArray(SPECIES, r.queries, row);
        FloatVector q1 = FloatVector.fromArray(SPECIES, r.queries, row + step);
        FloatVector q2 = FloatVector.fromArray(SPECIES, r.queries, row + 2 * step);
        FloatVector q3 = FloatVector.fromArray(SPECIES, r.queries, row + 3 * step);
        FloatVector d0 = FloatVector.fromArray(SPECIES, r.querySums, row);
        FloatVector d1 = FloatVector.fromArray(SPECIES, r.querySums, row + step);
        FloatVector d2 = FloatVector.fromArray(SPECIES, r.querySums, row + 2 * step);
        FloatVector d3 = FloatVector.fromArray(SPECIES, r.querySums, row + 3 * step);
        int k = firstKey * r.keyStep + column;
        int to = r.keySumsAt + firstKey * r.keySumsStep + column;
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            FloatVector key = FloatVector.fromArray(SPECIES, r.keys, k);
            FloatVector dk = FloatVector.fromArray(SPECIES, r.keySums, to);
            FloatVector u0 = FloatVector.broadcast(SPECIES, g[p] * c);
            FloatVector u1 = FloatVector.broadcast(SPECIES, g[p + 1] * c);
            FloatVector u2 = FloatVector.broadcast(SPECIES, g[p + 2] * c);
            FloatVector u3 = FloatVector.broadcast(SPECIES, g[p + 3] * c);
            FloatVector x0 = q0.sub(key);
            FloatVector x1 = q1.sub(key);
            FloatVector x2 = q2.sub(key);
            FloatVector x3 = q3.sub(key);
            d0 = FUSED ? x0.fma(u0.neg(), d0) : x0.mul(u0.neg()).add(d0);
            d1 = FUSED ? x1.fma(u1.neg(), d1) : x1.mul(u1.neg()).add(d1);
            d2 = FUSED ? x2.fma(u2.neg(), d2) : x2.mul(u2.neg()).add(d2);
            d3 = FUSED ? x3.fma(u3.neg(), d3) : x3.mul(u3.neg()).add(d3);
            dk = FUSED ? x0.fma(u0, dk) : x0.mul(u0).add(dk);
            dk = FUSED ? x1.fma(u1, dk) : x1.mul(u1).add(dk);
            dk = FUSED ? x2.fma(u2, dk) : x2.mul(u2).add(dk);
            (FUSED ? x3.fma(u3, dk) : x3.mul(u3).add(dk)).intoArray(r.keySums, to);
            k += r.keyStep;
            to += r.keySumsStep;
        }
        d0.intoArray(r.querySums, row);
        d1.intoArray(r.querySums, row + step);
        d2.intoArray(r.querySums, row + 2 * step);
        d3.intoArray(r.querySums, row + 3 * step);
    }
}
