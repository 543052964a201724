package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;

/**
 * The product of {@link MicroKernel} where one vector of a panel is wanted and not all four: few queries, the steps along a
 * diagonal, the last columns of a matrix. Eight rows are eight chains of multiply-adds, enough to hide their latency where
 * a processor finishes one 512-bit vector, or two of 256 bits, in a cycle.
 */
public final class NarrowKernel {
    private NarrowKernel() {}

    /** {@code C = A B}, or {@code C = C + A B} if it goes {@code onto} what is there, for a C one vector wide and the same part of a panel B. */
    static void product(
            boolean onto,
            float[] a,
            int at,
            int aRow,
            int aStep,
            int rows,
            float[] b,
            int bt,
            int depth,
            float[] c,
            int ct,
            int cRow) {
        int r = 0;
        for (; r + 8 <= rows && (aStep == 1 || aRow == 1); r += 8) {
            if (aStep == 1) {
                eightAlong(onto, a, at + r * aRow, aRow, b, bt, depth, c, ct + r * cRow, cRow);
            } else {
                eightAcross(onto, a, at + r * aRow, aStep, b, bt, depth, c, ct + r * cRow, cRow);
            }
        }
        for (; r + 4 <= rows; r += 4) {
            four(onto, a, at + r * aRow, aRow, aStep, b, bt, depth, c, ct + r * cRow, cRow);
        }
        for (; r < rows; r++) {
            one(onto, a, at + r * aRow, aStep, b, bt, depth, c, ct + r * cRow);
        }
    }

    /** Rows whose elements are neighbours: the JIT proves all indices before the loop. */
    private static void eightAlong(
            boolean onto, float[] a, int at, int aRow, float[] b, int bt, int depth, float[] c, int ct, int cRow) {
        int a0 = at;
        int a1 = at + aRow;
        int a2 = at + 2 * aRow;
        int a3 = at + 3 * aRow;
        int a4 = at + 4 * aRow;
        int a5 = at + 5 * aRow;
        int a6 = at + 6 * aRow;
        int a7 = at + 7 * aRow;
        FloatVector c0 = FloatVector.zero(SPECIES);
        FloatVector c1 = FloatVector.zero(SPECIES);
        FloatVector c2 = FloatVector.zero(SPECIES);
        FloatVector c3 = FloatVector.zero(SPECIES);
        FloatVector c4 = FloatVector.zero(SPECIES);
        FloatVector c5 = FloatVector.zero(SPECIES);
        FloatVector c6 = FloatVector.zero(SPECIES);
        FloatVector c7 = FloatVector.zero(SPECIES);
        for (int k = 0; k < depth; k++) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bt + k * PANEL);
            c0 = FloatVector.broadcast(SPECIES, a[a0 + k]).fma(x, c0);
            c1 = FloatVector.broadcast(SPECIES, a[a1 + k]).fma(x, c1);
            c2 = FloatVector.broadcast(SPECIES, a[a2 + k]).fma(x, c2);
            c3 = FloatVector.broadcast(SPECIES, a[a3 + k]).fma(x, c3);
            c4 = FloatVector.broadcast(SPECIES, a[a4 + k]).fma(x, c4);
            c5 = FloatVector.broadcast(SPECIES, a[a5 + k]).fma(x, c5);
            c6 = FloatVector.broadcast(SPECIES, a[a6 + k]).fma(x, c6);
            c7 = FloatVector.broadcast(SPECIES, a[a7 + k]).fma(x, c7);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, ct).add(c0).intoArray(c, ct);
            FloatVector.fromArray(SPECIES, c, ct + cRow).add(c1).intoArray(c, ct + cRow);
            FloatVector.fromArray(SPECIES, c, ct + 2 * cRow).add(c2).intoArray(c, ct + 2 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 3 * cRow).add(c3).intoArray(c, ct + 3 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 4 * cRow).add(c4).intoArray(c, ct + 4 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 5 * cRow).add(c5).intoArray(c, ct + 5 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 6 * cRow).add(c6).intoArray(c, ct + 6 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 7 * cRow).add(c7).intoArray(c, ct + 7 * cRow);
        } else {
            c0.intoArray(c, ct);
            c1.intoArray(c, ct + cRow);
            c2.intoArray(c, ct + 2 * cRow);
            c3.intoArray(c, ct + 3 * cRow);
            c4.intoArray(c, ct + 4 * cRow);
            c5.intoArray(c, ct + 5 * cRow);
            c6.intoArray(c, ct + 6 * cRow);
            c7.intoArray(c, ct + 7 * cRow);
        }
    }

    /** Columns whose elements are neighbours: the JIT proves eight indices at once. */
    private static void eightAcross(
            boolean onto, float[] a, int at, int aStep, float[] b, int bt, int depth, float[] c, int ct, int cRow) {
        FloatVector c0 = FloatVector.zero(SPECIES);
        FloatVector c1 = FloatVector.zero(SPECIES);
        FloatVector c2 = FloatVector.zero(SPECIES);
        FloatVector c3 = FloatVector.zero(SPECIES);
        FloatVector c4 = FloatVector.zero(SPECIES);
        FloatVector c5 = FloatVector.zero(SPECIES);
        FloatVector c6 = FloatVector.zero(SPECIES);
        FloatVector c7 = FloatVector.zero(SPECIES);
        for (int k = 0, p = at; k < depth; k++, p += aStep) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bt + k * PANEL);
            c0 = FloatVector.broadcast(SPECIES, a[p]).fma(x, c0);
            c1 = FloatVector.broadcast(SPECIES, a[p + 1]).fma(x, c1);
            c2 = FloatVector.broadcast(SPECIES, a[p + 2]).fma(x, c2);
            c3 = FloatVector.broadcast(SPECIES, a[p + 3]).fma(x, c3);
            c4 = FloatVector.broadcast(SPECIES, a[p + 4]).fma(x, c4);
            c5 = FloatVector.broadcast(SPECIES, a[p + 5]).fma(x, c5);
            c6 = FloatVector.broadcast(SPECIES, a[p + 6]).fma(x, c6);
            c7 = FloatVector.broadcast(SPECIES, a[p + 7]).fma(x, c7);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, ct).add(c0).intoArray(c, ct);
            FloatVector.fromArray(SPECIES, c, ct + cRow).add(c1).intoArray(c, ct + cRow);
            FloatVector.fromArray(SPECIES, c, ct + 2 * cRow).add(c2).intoArray(c, ct + 2 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 3 * cRow).add(c3).intoArray(c, ct + 3 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 4 * cRow).add(c4).intoArray(c, ct + 4 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 5 * cRow).add(c5).intoArray(c, ct + 5 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 6 * cRow).add(c6).intoArray(c, ct + 6 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 7 * cRow).add(c7).intoArray(c, ct + 7 * cRow);
        } else {
            c0.intoArray(c, ct);
            c1.intoArray(c, ct + cRow);
            c2.intoArray(c, ct + 2 * cRow);
            c3.intoArray(c, ct + 3 * cRow);
            c4.intoArray(c, ct + 4 * cRow);
            c5.intoArray(c, ct + 5 * cRow);
            c6.intoArray(c, ct + 6 * cRow);
            c7.intoArray(c, ct + 7 * cRow);
        }
    }

    private static void four(
            boolean onto,
            float[] a,
            int at,
            int aRow,
            int aStep,
            float[] b,
            int bt,
            int depth,
            float[] c,
            int ct,
            int cRow) {
        FloatVector c0 = FloatVector.zero(SPECIES);
        FloatVector c1 = FloatVector.zero(SPECIES);
        FloatVector c2 = FloatVector.zero(SPECIES);
        FloatVector c3 = FloatVector.zero(SPECIES);
        for (int k = 0, p = at; k < depth; k++, p += aStep) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bt + k * PANEL);
            c0 = FloatVector.broadcast(SPECIES, a[p]).fma(x, c0);
            c1 = FloatVector.broadcast(SPECIES, a[p + aRow]).fma(x, c1);
            c2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRow]).fma(x, c2);
            c3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRow]).fma(x, c3);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, ct).add(c0).intoArray(c, ct);
            FloatVector.fromArray(SPECIES, c, ct + cRow).add(c1).intoArray(c, ct + cRow);
            FloatVector.fromArray(SPECIES, c, ct + 2 * cRow).add(c2).intoArray(c, ct + 2 * cRow);
            FloatVector.fromArray(SPECIES, c, ct + 3 * cRow).add(c3).intoArray(c, ct + 3 * cRow);
        } else {
            c0.intoArray(c, ct);
            c1.intoArray(c, ct + cRow);
            c2.intoArray(c, ct + 2 * cRow);
            c3.intoArray(c, ct + 3 * cRow);
        }
    }

    private static void one(
            boolean onto, float[] a, int at, int aStep, float[] b, int bt, int depth, float[] c, int ct) {
        FloatVector c0 = FloatVector.zero(SPECIES);
        for (int k = 0, p = at; k < depth; k++, p += aStep) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bt + k * PANEL);
            c0 = FloatVector.broadcast(SPECIES, a[p]).fma(x, c0);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, ct).add(c0).intoArray(c, ct);
        } else {
            c0.intoArray(c, ct);
        }
    }
}
