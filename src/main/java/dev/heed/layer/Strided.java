package dev.heed.layer;

import dev.heed.tensor.Tensor;

/** Sums into a view; where an axis is expanded, everything along it adds up. */
final class Strided {
    private Strided() {}

    /**
     * Adds numbers to the cells behind a view.
     *
     * @param cells what the view is a window onto
     * @param view says where each number goes
     * @param numbers what is added, of the view's shape
     */
    static void add(Elements cells, Tensor view, Tensor numbers) {
        double[] values = numbers.toDoubleArray();
        int rank = view.rank();
        long[] index = new long[rank];
        int inner = (int) view.size(-1);
        int step = (int) view.stride(-1);
        for (int at = 0; at < values.length; at += inner) {
            long to = view.offset();
            for (int axis = 0; axis < rank - 1; axis++) {
                to += index[axis] * view.stride(axis);
            }
            for (int i = 0; i < inner; i++) {
                cells.add((int) to + i * step, values[at + i]);
            }
            for (int axis = rank - 2; axis >= 0 && ++index[axis] == view.size(axis); axis--) {
                index[axis] = 0;
            }
        }
    }
}
