package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.INTS;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * The softmax of a tile of scores, {@code [key][query]} with queries in the lanes. Each lane has its own maximum and sum,
 * so nothing is reduced across lanes.
 *
 * <p>If {@code max} is the largest score of a query so far, the weight of a key is {@code 2^(c * (score - max))}, with
 * {@code c = log2(e)}, times the scale if the scores do not include it. The difference is computed before the product. A
 * fused {@code c * score - c * max} would leave the rounding error of {@code c * max} in the exponent, and for huge scores
 * this error is huge.
 *
 * <p>To compute {@code 2^x}, {@code x} is split into {@code n + f}, {@code n} an integer and {@code |f| <= 1/2}, by
 * adding and subtracting {@code 1.5 * 2^23}. {@code 2^f} is approximated by a polynomial of degree 6. The polynomial is
 * exact at 0, so the output of a query with one key is the value of the key. Elsewhere its error is at most 1 ulp.
 * {@code n} is added to the exponent bits. In {@link #read} a weight below 2^-126 becomes 0, like the weight of a masked key.
 */
interface SoftmaxTile extends Kernels {
    float LOWEST = -126;
    float HIGHEST = 64;
    float SPLIT = 0x1.8p23f;
    float C1 = 0x1.62e430p-1f;
    float C2 = 0x1.ebfbdcp-3f;
    float C3 = 0x1.c6aee8p-5f;
    float C4 = 0x1.3b2d4cp-7f;
    float C5 = 0x1.5f3e54p-10f;
    float C6 = 0x1.41fbbcp-13f;

    @Override
    default boolean read(float[] tile, int keys, float c, float[] statistics) {
        boolean rescales = raiseMaxima(tile, 0, keys, c, statistics);
        weigh(tile, 0, keys, c, statistics);
        return rescales;
    }

    @Override
    default boolean readRun(float[] tile, int lane, int from, int to, float c, float[] statistics) {
        FloatVector old = FloatVector.fromArray(SPECIES, statistics, lane);
        FloatVector max = old;
        for (int j = from, p = from * PANEL + lane; j < to; j++, p += PANEL) {
            FloatVector s = FloatVector.fromArray(SPECIES, tile, p);
            max = max.blend(s, s.compare(VectorOperators.GT, max)); // false for NaN, which makes only its own sum NaN
        }
        FloatVector factor = exp2(old.sub(max).mul(c));
        max.intoArray(statistics, lane);
        factor.intoArray(statistics, 2 * PANEL + lane);
        FloatVector sum =
                FloatVector.fromArray(SPECIES, statistics, PANEL + lane).mul(factor);
        for (int j = from, p = from * PANEL + lane; j < to; j++, p += PANEL) {
            FloatVector x = FloatVector.fromArray(SPECIES, tile, p).sub(max).mul(c);
            FloatVector y = exp2(x).blend(0f, x.compare(VectorOperators.LT, LOWEST));
            sum = sum.add(y);
            y.intoArray(tile, p);
        }
        sum.intoArray(statistics, PANEL + lane);
        return max.compare(VectorOperators.GT, old).anyTrue();
    }

    @Override
    default void weigh(float[] tile, int tileAt, int keys, float c, float[] statistics) {
        for (int v = 0; v < PANEL; v += 2 * V) {
            weigh(tile, tileAt, v, keys, c, statistics);
        }
    }

    @Override
    default boolean raiseMaxima(float[] tile, int tileAt, int keys, float c, float[] statistics) {
        FloatVector m0 = FloatVector.fromArray(SPECIES, tile, tileAt);
        FloatVector m1 = FloatVector.fromArray(SPECIES, tile, tileAt + V);
        FloatVector m2 = FloatVector.fromArray(SPECIES, tile, tileAt + 2 * V);
        FloatVector m3 = FloatVector.fromArray(SPECIES, tile, tileAt + 3 * V);
        for (int j = 1, at = tileAt + PANEL; j < keys; j++, at += PANEL) {
            FloatVector s0 = FloatVector.fromArray(SPECIES, tile, at);
            FloatVector s1 = FloatVector.fromArray(SPECIES, tile, at + V);
            FloatVector s2 = FloatVector.fromArray(SPECIES, tile, at + 2 * V);
            FloatVector s3 = FloatVector.fromArray(SPECIES, tile, at + 3 * V);
            m0 = m0.blend(s0, s0.compare(VectorOperators.GT, m0));
            m1 = m1.blend(s1, s1.compare(VectorOperators.GT, m1));
            m2 = m2.blend(s2, s2.compare(VectorOperators.GT, m2));
            m3 = m3.blend(s3, s3.compare(VectorOperators.GT, m3));
        }
        m0.intoArray(statistics, 2 * PANEL);
        m1.intoArray(statistics, 2 * PANEL + V);
        m2.intoArray(statistics, 2 * PANEL + 2 * V);
        m3.intoArray(statistics, 2 * PANEL + 3 * V);
        boolean rescales = false;
        for (int v = 0; v < PANEL; v += V) {
            FloatVector old = FloatVector.fromArray(SPECIES, statistics, v);
            FloatVector here = FloatVector.fromArray(SPECIES, statistics, 2 * PANEL + v);
            VectorMask<Float> larger =
                    here.compare(VectorOperators.GT, old); // false for NaN, which makes only its own sum NaN
            FloatVector max = old.blend(here, larger);
            FloatVector factor = exp2(old.sub(max).mul(c));
            max.intoArray(statistics, v);
            factor.intoArray(statistics, 2 * PANEL + v);
            FloatVector sum = FloatVector.fromArray(SPECIES, statistics, PANEL + v);
            sum.mul(factor).intoArray(statistics, PANEL + v);
            rescales |= larger.anyTrue();
        }
        return rescales;
    }

    private static void weigh(float[] tile, int tileAt, int at, int keys, float c, float[] statistics) {
        FloatVector factor = FloatVector.broadcast(SPECIES, c);
        FloatVector c6 = FloatVector.broadcast(SPECIES, C6);
        FloatVector c5 = FloatVector.broadcast(SPECIES, C5);
        FloatVector max0 = FloatVector.fromArray(SPECIES, statistics, at);
        FloatVector max1 = FloatVector.fromArray(SPECIES, statistics, at + V);
        FloatVector sum0 = FloatVector.fromArray(SPECIES, statistics, PANEL + at);
        FloatVector sum1 = FloatVector.fromArray(SPECIES, statistics, PANEL + at + V);
        for (int j = 0, p = tileAt + at; j < keys; j++, p += PANEL) {
            FloatVector x0 = FloatVector.fromArray(SPECIES, tile, p).sub(max0).mul(factor);
            FloatVector x1 =
                    FloatVector.fromArray(SPECIES, tile, p + V).sub(max1).mul(factor);
            VectorMask<Float> none0 = x0.compare(VectorOperators.LT, LOWEST);
            VectorMask<Float> none1 = x1.compare(VectorOperators.LT, LOWEST);
            FloatVector t0 = x0.add(SPLIT);
            FloatVector t1 = x1.add(SPLIT);
            FloatVector f0 = x0.sub(t0.sub(SPLIT));
            FloatVector f1 = x1.sub(t1.sub(SPLIT));
            FloatVector y0 = FUSED ? f0.fma(c6, c5) : f0.mul(c6).add(c5);
            FloatVector y1 = FUSED ? f1.fma(c6, c5) : f1.mul(c6).add(c5);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, C4))
                    : y0.mul(f0).add(C4);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, C4))
                    : y1.mul(f1).add(C4);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, C3))
                    : y0.mul(f0).add(C3);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, C3))
                    : y1.mul(f1).add(C3);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, C2))
                    : y0.mul(f0).add(C2);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, C2))
                    : y1.mul(f1).add(C2);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, C1))
                    : y0.mul(f0).add(C1);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, C1))
                    : y1.mul(f1).add(C1);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, 1f))
                    : y0.mul(f0).add(1f);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, 1f))
                    : y1.mul(f1).add(1f);
            IntVector e0 = ((IntVector) t0.reinterpretShape(INTS, 0)).lanewise(VectorOperators.LSHL, 23);
            IntVector e1 = ((IntVector) t1.reinterpretShape(INTS, 0)).lanewise(VectorOperators.LSHL, 23);
            y0 = ((FloatVector)
                            ((IntVector) y0.reinterpretShape(INTS, 0)).add(e0).reinterpretShape(SPECIES, 0))
                    .blend(0f, none0);
            y1 = ((FloatVector)
                            ((IntVector) y1.reinterpretShape(INTS, 0)).add(e1).reinterpretShape(SPECIES, 0))
                    .blend(0f, none1);
            sum0 = sum0.add(y0);
            sum1 = sum1.add(y1);
            y0.intoArray(tile, p);
            y1.intoArray(tile, p + V);
        }
        sum0.intoArray(statistics, PANEL + at);
        sum1.intoArray(statistics, PANEL + at + V);
    }

    @Override
    default void finish(float[] tile, int tileAt, int keys, float c, float[] statistics) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector max = FloatVector.fromArray(SPECIES, statistics, v);
            FloatVector inverse = FloatVector.fromArray(SPECIES, statistics, 3 * PANEL + v);
            FloatVector factor = FloatVector.broadcast(SPECIES, c);
            for (int j = 0, p = tileAt + v; j < keys; j++, p += PANEL) {
                FloatVector s = FloatVector.fromArray(SPECIES, tile, p);
                FloatVector x = s.sub(max).mul(factor);
                FloatVector y = exp2(x.blend(HIGHEST, x.compare(VectorOperators.GT, HIGHEST)))
                        .mul(inverse);
                y = y.blend(1f, y.compare(VectorOperators.GT, 1f));
                y.blend(0f, s.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY))
                        .intoArray(tile, p);
            }
        }
    }

    static FloatVector exp2(FloatVector argument) {
        FloatVector x = argument.blend(LOWEST, argument.compare(VectorOperators.LT, LOWEST));
        FloatVector t = x.add(SPLIT);
        FloatVector f = x.sub(t.sub(SPLIT));
        FloatVector y = FUSED
                ? f.fma(FloatVector.broadcast(SPECIES, C6), FloatVector.broadcast(SPECIES, C5))
                : f.mul(C6).add(C5);
        y = FUSED ? y.fma(f, FloatVector.broadcast(SPECIES, C4)) : y.mul(f).add(C4);
        y = FUSED ? y.fma(f, FloatVector.broadcast(SPECIES, C3)) : y.mul(f).add(C3);
        y = FUSED ? y.fma(f, FloatVector.broadcast(SPECIES, C2)) : y.mul(f).add(C2);
        y = FUSED ? y.fma(f, FloatVector.broadcast(SPECIES, C1)) : y.mul(f).add(C1);
        y = FUSED ? y.fma(f, FloatVector.broadcast(SPECIES, 1f)) : y.mul(f).add(1f);
        IntVector exponent = ((IntVector) t.reinterpretShape(INTS, 0)).lanewise(VectorOperators.LSHL, 23);
        return (FloatVector)
                ((IntVector) y.reinterpretShape(INTS, 0)).add(exponent).reinterpretShape(SPECIES, 0);
    }
}
