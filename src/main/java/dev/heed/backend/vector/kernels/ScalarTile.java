package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.Activation;
import org.jspecify.annotations.Nullable;

/**
 * The loops over tiles in plain Java, the counterparts of {@link SoftmaxTile}, {@link ScoreTile}, {@link PanelTile},
 * {@link GradientTile} and {@link LinearTile}.
 */
interface ScalarTile extends Kernels {
    @Override
    default boolean read(float[] tile, int keys, float c, float[] statistics) {
        boolean rescales = raiseMaxima(tile, 0, keys, c, statistics);
        weigh(tile, 0, keys, c, statistics);
        return rescales;
    }

    @Override
    default boolean raiseMaxima(float[] tile, int at, int keys, float c, float[] statistics) {
        boolean rescales = false;
        for (int i = 0; i < PANEL; i++) {
            float old = statistics[i];
            float max = old;
            for (int j = 0, p = at + i; j < keys; j++, p += PANEL) {
                max = tile[p] > max ? tile[p] : max; // false for NaN, which makes only its own sum NaN
            }
            float factor = max > old ? exp2((old - max) * c) : 1;
            statistics[i] = max;
            statistics[2 * PANEL + i] = factor;
            statistics[PANEL + i] *= factor;
            rescales |= max > old;
        }
        return rescales;
    }

    @Override
    default void weigh(float[] tile, int at, int keys, float c, float[] statistics) {
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                float x = (tile[p + i] - statistics[i]) * c;
                float y = x < SoftmaxTile.LOWEST ? 0 : exp2(x);
                tile[p + i] = y;
                statistics[PANEL + i] += y;
            }
        }
    }

    @Override
    default void finish(float[] tile, int at, int keys, float c, float[] statistics) {
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                float s = tile[p + i];
                float x = (s - statistics[i]) * c;
                float y = exp2(x > SoftmaxTile.HIGHEST ? SoftmaxTile.HIGHEST : x) * statistics[3 * PANEL + i];
                tile[p + i] = s == Float.NEGATIVE_INFINITY ? 0 : y > 1 ? 1 : y;
            }
        }
    }

    /** {@return {@code 2^x}, computed as in {@link SoftmaxTile}} */
    static float exp2(float argument) {
        float x = argument < SoftmaxTile.LOWEST ? SoftmaxTile.LOWEST : argument;
        float t = x + SoftmaxTile.SPLIT;
        float f = x - (t - SoftmaxTile.SPLIT);
        float y = Lanes.fma(f, SoftmaxTile.C6, SoftmaxTile.C5);
        y = Lanes.fma(y, f, SoftmaxTile.C4);
        y = Lanes.fma(y, f, SoftmaxTile.C3);
        y = Lanes.fma(y, f, SoftmaxTile.C2);
        y = Lanes.fma(y, f, SoftmaxTile.C1);
        y = Lanes.fma(y, f, 1f);
        return Float.intBitsToFloat(Float.floatToRawIntBits(y) + (Float.floatToRawIntBits(t) << 23));
    }

    @Override
    default void scale(float[] tile, int at, int keys, float scale) {
        scaleRow(tile, at, keys * PANEL, scale);
    }

    @Override
    default void softcap(float[] scores, int at, int count, float cap) {
        for (int p = at; p < at + count; p++) {
            scores[p] = (float) Math.tanh((double) scores[p] / cap) * cap;
        }
    }

    @Override
    default void subtractDistances(float slope, float[] tile, int at, float first, int keys) {
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                tile[p + i] -= slope * Math.abs(first - j + i);
            }
        }
    }

    @Override
    default void multiplyDerivatives(float[] gradients, int at, float[] capped, int keys, float inverse) {
        for (int p = 0; p < keys * PANEL; p++) {
            float t = capped[p] * inverse;
            gradients[at + p] *= 1 - t * t;
        }
    }

    @Override
    default void rescale(float[] sums, int width, float[] statistics) {
        for (int d = 0, p = 0; d < width; d++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                sums[p + i] *= statistics[2 * PANEL + i];
            }
        }
    }

    @Override
    default boolean finite(float[] values, int from, int step, int keys, int width) {
        float spoiled = 0;
        for (int j = 0; j < keys; j++) {
            int row = from + j * step;
            for (int d = 0; d < width; d++) {
                spoiled += values[row + d] * 0f;
            }
        }
        return spoiled == 0;
    }

    @Override
    default void poolAttended(
            float[] values, int from, int step, int keys, int width, float[] tile, int at, float[] sums) {
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < PANEL; i++) {
                float weight = tile[at + j * PANEL + i];
                for (int d = 0; d < width && weight != 0; d++) {
                    float value = values[from + j * step + d];
                    sums[d * PANEL + i] = Lanes.fma(weight, value, sums[d * PANEL + i]);
                }
            }
        }
    }

    @Override
    default void addWeighted(float[] weights, float[] gradients, int at, int keys, float[] deltas) {
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                float weight = weights[p + i];
                deltas[i] = weight == 0 ? deltas[i] : Lanes.fma(weight, gradients[p + i], deltas[i]);
            }
        }
    }

    @Override
    default void normalise(float[] weights, int at, int keys, float[] statistics) {
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                float weight = weights[p + i];
                weights[p + i] = weight == 0 ? 0 : weight * statistics[3 * PANEL + i];
            }
        }
    }

    @Override
    default void scoreGradients(
            float[] weights, float[] gradients, int at, float[] deltas, float[] statistics, int keys) {
        for (int j = 0, p = at; j < keys; j++, p += PANEL) {
            for (int i = 0; i < PANEL; i++) {
                float weight = weights[p + i];
                float g = (gradients[p + i] - deltas[i] + statistics[2 * PANEL + i]) * weight;
                gradients[p + i] = weight == 0 ? 0 : g;
            }
        }
    }

    @Override
    default void clearMasked(float[] weights, float[] gradients, int at, int keys) {
        for (int p = at; p < at + keys * PANEL; p++) {
            gradients[p] = weights[p] == 0 ? 0 : gradients[p];
        }
    }

    @Override
    default void finishLinear(
            Activation activation, float @Nullable [] bias, int from, float[] x, int at, int step, int rows) {
        for (int r = 0, p = at; r < rows; r++, p += step) {
            for (int i = 0; i < PANEL && bias != null; i++) {
                x[p + i] += bias[from + i];
            }
            for (int i = 0; i < PANEL && activation != Activation.IDENTITY; i++) {
                x[p + i] = (float) activation.apply(x[p + i]);
            }
        }
    }
}
