package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * The transposition of square blocks of V rows by V columns. For each bit b of a row index (1, 2, 4 up to V / 2), every
 * aligned square of 2b by 2b elements exchanges its upper right quarter with its lower left quarter. After all bits, the
 * block is transposed.
 */
interface Transpose extends Kernels {
    VectorShuffle<Float> SWAP_1 = swap(1);
    VectorShuffle<Float> SWAP_2 = swap(2);
    VectorShuffle<Float> SWAP_4 = swap(4);
    VectorShuffle<Float> SWAP_8 = swap(8);
    VectorMask<Float> WITH_1 = lanesWith(1);
    VectorMask<Float> WITH_2 = lanesWith(2);
    VectorMask<Float> WITH_4 = lanesWith(4);
    VectorMask<Float> WITH_8 = lanesWith(8);

    @Override
    default boolean transposesBlocks() {
        return V == 4 || V == 8 || V == 16;
    }

    /** {@return the shuffle that exchanges lanes whose indices differ only in {@code bit}} */
    static VectorShuffle<Float> swap(int bit) {
        return VectorShuffle.fromOp(SPECIES, i -> (i ^ bit) % V);
    }

    /** {@return the mask of the lanes whose indices have {@code bit} set} */
    static VectorMask<Float> lanesWith(int bit) {
        boolean[] lanes = new boolean[V];
        for (int i = 0; i < V; i++) {
            lanes[i] = (i & bit) != 0;
        }
        return VectorMask.fromArray(SPECIES, lanes, 0);
    }

    @Override
    default void transposeBlock(
            float[] from,
            int at,
            int step,
            float[] factors,
            int factorsOffset,
            float[] to,
            int toOffset,
            int toRowStride,
            float[] buffer) {
        if (V == 4) {
            first(from, at, step, factors, factorsOffset, to, toOffset, toRowStride);
            return;
        }
        first(from, at, step, factors, factorsOffset, buffer, 0, V);
        if (V == 8) {
            last8(buffer, to, toOffset, toRowStride);
        } else {
            last16(buffer, to, toOffset, toRowStride);
        }
    }

    /**
     * Exchanges quarters for bits 1 and 2, four rows at a time. Both bits share one pass through memory, because a load of bytes
     * that were just stored waits for the store, and waits longer if they cross a cache line.
     */
    private static void first(
            float[] from,
            int at,
            int step,
            float[] factors,
            int factorsOffset,
            float[] to,
            int toOffset,
            int toRowStride) {
        FloatVector factor = FloatVector.fromArray(SPECIES, factors, factorsOffset);
        VectorMask<Float> none = factor.compare(VectorOperators.EQ, 0f);
        for (int i = 0; i < V; i += 4) {
            int p = at + i * step;
            FloatVector a = FloatVector.fromArray(SPECIES, from, p).mul(factor).blend(0f, none);
            FloatVector b =
                    FloatVector.fromArray(SPECIES, from, p + step).mul(factor).blend(0f, none);
            FloatVector c = FloatVector.fromArray(SPECIES, from, p + 2 * step)
                    .mul(factor)
                    .blend(0f, none);
            FloatVector d = FloatVector.fromArray(SPECIES, from, p + 3 * step)
                    .mul(factor)
                    .blend(0f, none);
            FloatVector ab = a.blend(b.rearrange(SWAP_1), WITH_1);
            FloatVector ba = a.rearrange(SWAP_1).blend(b, WITH_1);
            FloatVector cd = c.blend(d.rearrange(SWAP_1), WITH_1);
            FloatVector dc = c.rearrange(SWAP_1).blend(d, WITH_1);
            int q = toOffset + i * toRowStride;
            ab.blend(cd.rearrange(SWAP_2), WITH_2).intoArray(to, q);
            ba.blend(dc.rearrange(SWAP_2), WITH_2).intoArray(to, q + toRowStride);
            ab.rearrange(SWAP_2).blend(cd, WITH_2).intoArray(to, q + 2 * toRowStride);
            ba.rearrange(SWAP_2).blend(dc, WITH_2).intoArray(to, q + 3 * toRowStride);
        }
    }

    /** Exchanges quarters for bit 4, on eight rows. */
    private static void last8(float[] from, float[] to, int toOffset, int toRowStride) {
        for (int i = 0; i < 4; i++) {
            FloatVector a = FloatVector.fromArray(SPECIES, from, i * V);
            FloatVector b = FloatVector.fromArray(SPECIES, from, (i + 4) * V);
            a.blend(b.rearrange(SWAP_4), WITH_4).intoArray(to, toOffset + i * toRowStride);
            a.rearrange(SWAP_4).blend(b, WITH_4).intoArray(to, toOffset + (i + 4) * toRowStride);
        }
    }

    /** Exchanges quarters for bits 4 and 8, on sixteen rows. */
    private static void last16(float[] from, float[] to, int toOffset, int toRowStride) {
        for (int i = 0; i < 4; i++) {
            int p = i * V;
            FloatVector a = FloatVector.fromArray(SPECIES, from, p);
            FloatVector b = FloatVector.fromArray(SPECIES, from, p + 4 * V);
            FloatVector c = FloatVector.fromArray(SPECIES, from, p + 8 * V);
            FloatVector d = FloatVector.fromArray(SPECIES, from, p + 12 * V);
            FloatVector ab = a.blend(b.rearrange(SWAP_4), WITH_4);
            FloatVector ba = a.rearrange(SWAP_4).blend(b, WITH_4);
            FloatVector cd = c.blend(d.rearrange(SWAP_4), WITH_4);
            FloatVector dc = c.rearrange(SWAP_4).blend(d, WITH_4);
            int q = toOffset + i * toRowStride;
            ab.blend(cd.rearrange(SWAP_8), WITH_8).intoArray(to, q);
            ba.blend(dc.rearrange(SWAP_8), WITH_8).intoArray(to, q + 4 * toRowStride);
            ab.rearrange(SWAP_8).blend(cd, WITH_8).intoArray(to, q + 8 * toRowStride);
            ba.rearrange(SWAP_8).blend(dc, WITH_8).intoArray(to, q + 12 * toRowStride);
        }
    }
}
