package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The modifications of raw scores before the mask: scale, softcap, bias, ALiBi. Without softcap, bias and ALiBi, tiles
 * stay unmodified, and the scale is included in the factor of the softmax. A scale near the limits of f32, 0 included,
 * modifies tiles.
 */
final class ScoreModifier {
    private static final float LOG2E = (float) (1 / Math.log(2));

    /** Limits of a scale that is included in the factor: far enough from the limits of f32, 2^-126 and 2^128. */
    private static final double MIN_UNIT = 0x1p-100;

    private static final double MAX_UNIT = 0x1p100;

    /** Whether tiles must be modified. */
    final boolean active;

    /** The sign by which queries are multiplied when they are packed, so that {@link #factor} is positive. */
    final float sign;

    /** Factor that converts a score in the tile to an exponent of base 2. */
    final float factor;

    /** Factor that converts a score in the tile to a score as docs/semantics.md defines it. */
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
        double given = options.score().scale(shape.headDim());
        scale = (float) given;
        active = softcap != null || bias != null || slopes != null || !isUnit(Math.abs(given), options.sink());
        sign = !active && given < 0 ? -1 : 1;
        unit = active ? 1 : (float) Math.abs(given);
        factor = active ? LOG2E : (float) (Math.abs(given) / Math.log(2));
    }

    /**
     * Whether row maxima may be stored as multiples of {@code scale}: neither a scale of 0, nor a factor of base 2, nor a
     * sink as a multiple of the scale may leave the range of f32.
     */
    private static boolean isUnit(double scale, @Nullable Tensor sink) {
        boolean unit = scale >= MIN_UNIT && scale <= MAX_UNIT;
        for (long head = 0; unit && sink != null && head < sink.size(0); head++) {
            double logit = sink.get(head);
            unit = Double.isInfinite(logit) || Math.abs(logit) <= MAX_UNIT * scale;
        }
        return unit;
    }

    /** Whether keys may be masked by a bias of minus infinity. */
    boolean mayMask() {
        return bias != null;
    }

    /** Modifies the raw scores of a panel's queries with {@code keys} keys, beginning with key {@code keyFrom}. */
    void apply(Panel panel, float[] tile, int at, long keyFrom, int keys) {
        if (scale != 1) {
            KERNELS.scale(tile, at, keys, scale);
        }
        if (softcap != null) {
            KERNELS.softcap(tile, at, keys * PANEL, softcap);
        }
        if (bias != null) {
            addBias(bias, panel, tile, at, keyFrom, keys);
        }
        if (slopes != null) {
            KERNELS.subtractDistances(
                    (float) slopes.get(panel.head), tile, at, (float) (panel.from + alibiOffset - keyFrom), keys);
        }
    }

    /** Modifies scores like {@link #apply}, for one query; the scores are contiguous in {@code row}. */
    void applyRow(float[] row, int at, long batch, long head, long query, long keyFrom, int keys) {
        for (int j = 0; active && j < keys; j++) {
            row[at + j] *= scale;
        }
        if (softcap != null) {
            KERNELS.softcap(row, at, keys, softcap);
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

    /** Adds the bias; a bias of minus infinity masks any score, even NaN. */
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

    /**
     * Multiplies the gradients of a tile by the derivative of the softcap, {@code 1 - (capped / cap)^2}; {@code capped}
     * contains the scores after the softcap, from index 0 on.
     */
    void multiplyDerivatives(float[] gradients, int at, float[] capped, int keys) {
        if (softcap != null) {
            KERNELS.multiplyDerivatives(gradients, at, capped, keys, 1 / softcap);
        }
    }
}
