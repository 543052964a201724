package dev.heed.layer;

import dev.heed.tensor.Tensor;

/**
 * Addition of a tensor to a strided view; along an expanded axis of the view, all elements are added to the same
 * element.
 */
final class Strided {
    private Strided() {}

    /**
     * Adds the elements of a tensor to the elements that a view refers to.
     *
     * @param cells all elements of the tensor that {@code view} was made from
     * @param view the elements that are added to
     * @param numbers the elements to add, in the shape of the view
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
