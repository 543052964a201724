package dev.heed.view.page;

import dev.heed.tensor.InvalidInputException;
import java.util.Arrays;

/** The largest weights of one row with their keys, in the order of the keys, and the sum of the other weights. */
final class PageRow {
    /** Maximum difference from 1 of the sum of a complete row of f32 weights. */
    private static final double ROUNDING = 1e-6;

    private final int limit;
    private int[] keys = {};
    private double[] weights = {};
    private double rest;

    /** Creates a row that keeps at most {@code limit} weights. */
    PageRow(int limit) {
        this.limit = limit;
    }

    int count() {
        return keys.length;
    }

    int key(int i) {
        return keys[i];
    }

    double weight(int i) {
        return weights[i];
    }

    /** {@return the largest finite weight, or 0} */
    double largest() {
        return Arrays.stream(weights).filter(Double::isFinite).max().orElse(0);
    }

    /** {@return the sum of the weights left out} */
    double rest() {
        return rest;
    }

    /**
     * Keeps the largest weights of a row. NaN is treated as the largest weight; of equal weights, the weight with the
     * lower key is kept.
     */
    void largestOf(double[] row) {
        int[] found = indicesOfNonZero(row);
        rest = 0;
        if (found.length > limit) {
            // The bits of non-negative f32 values, read as integers, sort like the values, with NaN last. One sort of
            // longs is therefore sufficient.
            long[] order = new long[found.length];
            for (int i = 0; i < found.length; i++) {
                order[i] = (long) Float.floatToIntBits((float) row[found[i]]) << 32 | Integer.MAX_VALUE - found[i];
            }
            Arrays.sort(order);
            int dropped = found.length - limit;
            for (int i = 0; i < found.length; i++) {
                int key = Integer.MAX_VALUE - (int) order[i];
                if (i < dropped) {
                    rest += row[key];
                } else {
                    found[i - dropped] = key;
                }
            }
            found = Arrays.copyOf(found, limit);
            Arrays.sort(found);
        }
        take(found, Arrays.stream(found).mapToDouble(key -> row[key]).toArray());
    }

    private static int[] indicesOfNonZero(double[] row) {
        int[] found = new int[row.length];
        int count = 0;
        for (int i = 0; i < row.length; i++) {
            requireWeight(row[i]);
            if (row[i] != 0) {
                found[count++] = i;
            }
        }
        return Arrays.copyOf(found, count);
    }

    /**
     * Keeps the listed weights. A row of attention sums to 1, so the difference from 1 is the sum of the weights left
     * out.
     *
     * @param listedKeys a key for each weight, or -1 for none
     * @param keyCount the number of keys
     */
    void listed(double[] listedWeights, long[] listedKeys, int keyCount) {
        int[] order = new int[listedKeys.length];
        int count = 0;
        double sum = 0;
        long[] byKey = new long[listedKeys.length];
        for (int i = 0; i < listedKeys.length; i++) {
            requireKey(listedKeys[i], keyCount);
            requireWeight(listedWeights[i]);
            if (listedKeys[i] >= 0 && listedWeights[i] != 0) {
                byKey[count++] = listedKeys[i] << 32 | i;
                sum += listedWeights[i];
            }
        }
        Arrays.sort(byKey, 0, count);
        for (int i = 0; i < count; i++) {
            order[i] = (int) byKey[i];
            if (i > 0 && listedKeys[order[i]] == listedKeys[order[i - 1]]) {
                throw new InvalidInputException(
                        "A row must not list a key twice",
                        "keys that differ",
                        "key " + listedKeys[order[i]] + " twice",
                        "pass the topKWeights and topKIndices of one AttentionResult");
            }
        }
        int[] taken = Arrays.copyOf(order, count);
        rest = 1 - sum < ROUNDING ? 0 : 1 - sum;
        take(
                Arrays.stream(taken).map(i -> (int) listedKeys[i]).toArray(),
                Arrays.stream(taken).mapToDouble(i -> listedWeights[i]).toArray());
    }

    private void take(int[] takenKeys, double[] takenWeights) {
        keys = takenKeys;
        weights = takenWeights;
    }

    private static void requireKey(long key, int count) {
        if (key < -1 || key >= count) {
            throw new InvalidInputException(
                    "A key must be the index of a key token",
                    "-1 (none), or 0 to " + (count - 1),
                    String.valueOf(key),
                    "AttentionPage.of(outputs, inputs) if the key tokens are another text");
        }
    }

    private static void requireWeight(double weight) {
        if (weight < 0) {
            throw new InvalidInputException(
                    "The weights on a page must not be negative",
                    "weights >= 0",
                    String.valueOf(weight),
                    "HeatMap.of(scores) draws numbers of any sign");
        }
    }
}
