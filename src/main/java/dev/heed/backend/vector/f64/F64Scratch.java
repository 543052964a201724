package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Lanes.PANEL;

import dev.heed.backend.vector.storage.Scratch;
import java.util.Arrays;

/** The working memory of one thread for f64. */
public final class F64Scratch implements Scratch.Section {
    final F64Rows keys = new F64Rows();
    final F64Rows values = new F64Rows();
    final F64Rows queries = new F64Rows();
    final F64Rows gradients = new F64Rows();

    /** The row maxima. This array and the next four have one element per query of a panel. */
    final double[] maxima = new double[PANEL];

    final double[] sums = new double[PANEL];
    final double[] inverses = new double[PANEL];
    final double[] deltas = new double[PANEL];
    final double[] lseGradients = new double[PANEL];

    /** The strip of the panel, {@code [key][query]}: scores, then weights. */
    double[] weights = new double[0];

    double[] weightGradients = new double[0];
    double[] derivatives = new double[0];

    /** Whether all cells of a tile are masked; {@code masked}: whether any cell is. One flag per tile of the strip. */
    boolean[] empty = new boolean[0];

    boolean[] masked = new boolean[0];

    double[] packed = new double[0];
    double[] secondPacked = new double[0];
    double[] output = new double[0];
    public double[] row = new double[0];
    public double[] rowToo = new double[0];
    double[] keySums = new double[0];
    double[] valueSums = new double[0];
    float[] flags = new float[0];

    /** {@return the f64 memory in the scratch of a thread} */
    public static F64Scratch of(Scratch scratch) {
        return scratch.section(F64Scratch.class, F64Scratch::new);
    }

    @Override
    public void forget() {
        keys.forget();
        values.forget();
    }

    /** {@return an array whose first {@code length} elements are 0: the given array if it is long enough, else a new one} */
    public static double[] cleared(double[] array, int length) {
        if (array.length < length) {
            return new double[length];
        }
        Arrays.fill(array, 0, length, 0);
        return array;
    }
}
