package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;
import static dev.heed.backend.vector.Lanes.SPECIES;
import static dev.heed.backend.vector.Lanes.V;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a tile of dot products before the mask: scale, softcap, bias, ALiBi. Without the last three nothing is
 * touched and the scale rides in the softmax's factor.
 */
final class ScoreModifier {
    private static final float LOG2E = (float) (1 / Math.log(2));

    /** Whether a tile must be modified at all. */
    final boolean active;

    /** The sign that queries are packed with, so that {@link #factor} is positive. */
    final float sign;

    /** The factor from a score in the tile to the exponent of two. */
    final float factor;

    /** The factor from a score in the tile to one in the contract's units. */
    final float unit;

    private final float scale;
    private final @Nullable Float softcap;
    private final @Nullable Tensor bias;
    private final @Nullable Tensor slopes;
    private final long alibiOffset;

    ScoreModifier(AttentionShape shape, AttentionOptions options) {
        Double cap = options.softcap();
        softcap = cap == null ? null : cap.floatValue();
        bias = options.bias() == null
                ? null
                : options.bias().expand(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv());
        slopes = options.alibiSlopes();
        alibiOffset = shape.seqLenKv() - shape.seqLenQ();
        active = softcap != null || bias != null || slopes != null;
        double given = options.score().scale(shape.headDim());
        scale = (float) given;
        sign = !active && given < 0 ? -1 : 1;
        unit = active ? 1 : Math.max(Float.MIN_NORMAL, (float) Math.abs(given)); // above 0, so that -infinity stays
        factor = active ? LOG2E : Math.max(Float.MIN_NORMAL, (float) (Math.abs(given) / Math.log(2)));
    }

    /** Whether the bias may hold minus infinity, which masks. */
    boolean mayHide() {
        return bias != null;
    }

    /** Turns the dot products of some keys into scores. */
    void apply(Panel panel, float[] tile, int at, long keyFrom, int keys) {
        if (scale != 1) {
            scale(tile, at, keys, scale);
        }
        if (softcap != null) {
            softcap(tile, at, keys, softcap);
        }
        if (bias != null) {
            addBias(bias, panel, tile, at, keyFrom, keys);
        }
        if (slopes != null) {
            addAlibi((float) slopes.get(panel.head), tile, at, panel.from, keyFrom, keys);
        }
    }

    static void scale(float[] tile, int at, int keys, float scale) {
        for (int p = at; p < at + keys * PANEL; p += V) {
            FloatVector.fromArray(SPECIES, tile, p).mul(scale).intoArray(tile, p);
        }
    }

    /** As {@link #apply}, for one query and a row of keys. */
    void applyRow(float[] row, int at, long batch, long head, long query, long keyFrom, int keys) {
        for (int j = 0; active && j < keys; j++) {
            row[at + j] *= scale;
        }
        for (int j = 0; softcap != null && j < keys; j += V) {
            VectorMask<Float> there = SPECIES.indexInRange(j, keys);
            FloatVector s = FloatVector.fromArray(SPECIES, row, at + j, there);
            tanh(s.div(softcap)).mul(softcap).intoArray(row, at + j, there);
        }
        for (int j = 0; bias != null && j < keys; j++) {
            float added = (float) bias.get(batch, head, query, keyFrom + j);
            row[at + j] = added == Float.NEGATIVE_INFINITY ? added : row[at + j] + added;
        }
        float slope = slopes == null ? 0 : (float) slopes.get(head);
        for (int j = 0; slopes != null && j < keys; j++) {
            row[at + j] -= slope * Math.abs(query + alibiOffset - keyFrom - j);
        }
    }

    private static void softcap(float[] tile, int at, int keys, float cap) {
        for (int p = at; p < at + keys * PANEL; p += V) {
            tanh(FloatVector.fromArray(SPECIES, tile, p).div(cap)).mul(cap).intoArray(tile, p);
        }
    }

    /** A bias of minus infinity masks whatever the score, NaN too. */
    private static void addBias(Tensor bias, Panel panel, float[] tile, int at, long keyFrom, int keys) {
        long corner = bias.position(panel.batch, panel.head, panel.from, keyFrom);
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < panel.queries; i++) {
                float added = (float) bias.at(corner + i * bias.stride(2) + j * bias.stride(3));
                int cell = at + j * PANEL + i;
                tile[cell] = added == Float.NEGATIVE_INFINITY ? added : tile[cell] + added;
            }
        }
    }

    private void addAlibi(float slope, float[] tile, int at, long queryFrom, long keyFrom, int keys) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector lane = FloatVector.broadcast(SPECIES, 0f).addIndex(1);
            for (int j = 0; j < keys; j++) {
                FloatVector distance = lane.add((float) (queryFrom + alibiOffset - keyFrom - j + v))
                        .abs();
                int p = at + j * PANEL + v;
                FloatVector.fromArray(SPECIES, tile, p).sub(distance.mul(slope)).intoArray(tile, p);
            }
        }
    }

    /** The derivative of the softcap at every score of a tile that holds capped scores: {@code 1 - (score / cap)^2}. */
    void multiplySlopes(float[] gradients, int at, float[] capped, int keys) {
        if (softcap == null) {
            return;
        }
        float inverse = 1 / softcap;
        for (int p = 0; p < keys * PANEL; p += V) {
            FloatVector t = FloatVector.fromArray(SPECIES, capped, p).mul(inverse);
            FloatVector slope = t.mul(t).neg().add(1f);
            FloatVector.fromArray(SPECIES, gradients, at + p).mul(slope).intoArray(gradients, at + p);
        }
    }

    /**
     * The hyperbolic tangent: below 0.625 an odd polynomial of degree 11, else {@code 1 - 2 / (e^2x + 1)}; within 2 ulp
     * (coefficients: Moshier, Cephes tanhf).
     */
    static FloatVector tanh(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector z = x.mul(x);
        FloatVector small = z.mul(-5.70498872745e-3f).add(2.06390887954e-2f);
        small = small.fma(z, FloatVector.broadcast(SPECIES, -5.37397155531e-2f));
        small = small.fma(z, FloatVector.broadcast(SPECIES, 1.33314422036e-1f));
        small = small.fma(z, FloatVector.broadcast(SPECIES, -3.33332819422e-1f));
        small = small.mul(z).fma(x, x);
        FloatVector capped = size.blend(20f, size.compare(VectorOperators.GT, 20f)); // beyond it tanh is 1
        FloatVector e = SoftmaxTile.exp2(capped.mul(2 * LOG2E)).add(1f);
        FloatVector large = FloatVector.broadcast(SPECIES, 1f)
                .sub(FloatVector.broadcast(SPECIES, 2f).div(e));
        VectorMask<Float> negative = x.compare(VectorOperators.LT, 0f);
        large = large.blend(large.neg(), negative);
        return large.blend(small, size.compare(VectorOperators.LT, 0.625f));
    }
}
