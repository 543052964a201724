package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import java.util.Arrays;

/** The loops of {@link PairTile} in plain Java. */
interface ScalarPairs extends Kernels {
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
        for (int j = 0, to = at; j < count; j++, to += PANEL) {
            Arrays.fill(tile, to, to + PANEL, 0);
            for (int d = 0, p = 0; d < width; d++, p += PANEL) {
                float key = keys[keysOffset + j * step + d];
                float factor = v[d];
                for (int i = 0; i < PANEL; i++) {
                    tile[to + i] += factor * ScalarTanh.of(packed[p + i] + key);
                }
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
        for (int j = 0, to = at; j < count; j++, to += PANEL) {
            Arrays.fill(tile, to, to + PANEL, 0);
            for (int d = 0, p = 0; d < width; d++, p += PANEL) {
                float key = keys[keysOffset + j * step + d];
                for (int i = 0; i < PANEL; i++) {
                    float apart = packed[p + i] - key;
                    tile[to + i] += apart * apart;
                }
            }
            for (int i = 0; i < PANEL; i++) {
                tile[to + i] *= factor;
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
            float sum = 0;
            for (int d = 0; d < step; d++) {
                sum += v[d] * ScalarTanh.of(q[qOffset + d] + keys[(firstKey + j) * step + d]);
            }
            scores[at + j] = sum;
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
            float sum = 0;
            for (int d = 0; d < step; d++) {
                float apart = q[qOffset + d] - keys[(firstKey + j) * step + d];
                sum += apart * apart;
            }
            scores[at + j] = sum * factor;
        }
    }

    @Override
    default void tanhGradients(
            float[] g, int at, int keys, int queries, PairRows r, int firstQuery, int firstKey, float[] v) {
        for (int i = 0; i < queries; i++) {
            int q = (firstQuery + i) * r.queryStep;
            for (int j = 0; j < keys; j++) {
                int k = (firstKey + j) * r.keyStep;
                int to = r.keySumsAt + (firstKey + j) * r.keySumsStep;
                float gradient = g[at + j * PANEL + i];
                for (int d = 0; d < r.width; d++) {
                    float t = ScalarTanh.of(r.queries[q + d] + r.keys[k + d]);
                    float gt = t * gradient;
                    r.parameterSums[d] += gt;
                    float u = (gradient - gt * t) * v[d];
                    r.querySums[q + d] += u;
                    r.keySums[to + d] += u;
                }
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
        for (int i = 0; i < queries; i++) {
            int q = (firstQuery + i) * r.queryStep;
            for (int j = 0; j < keys; j++) {
                int k = (firstKey + j) * r.keyStep;
                int to = r.keySumsAt + (firstKey + j) * r.keySumsStep;
                float gradient = g[at + j * PANEL + i];
                for (int d = 0; d < r.width; d++) {
                    float apart = r.queries[q + d] - r.keys[k + d];
                    r.parameterSums[d] += gradient * apart * apart;
                    r.querySums[q + d] -= gradient * apart * c;
                    r.keySums[to + d] += gradient * apart * c;
                }
            }
        }
    }
}
