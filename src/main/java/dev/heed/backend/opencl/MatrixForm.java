package dev.heed.backend.opencl;

import dev.heed.AttentionShape;
import dev.heed.tensor.DType;

/**
 * What one program of a kernel for matrix units is compiled for. Every form that a call needs is a program of its own, which
 * a compiler may get wrong by itself: it has its own first task.
 *
 * @param type of queries, keys and values
 * @param modified whether scores are more than products
 * @param folded whether the scale is part of the exponent's factor
 * @param whole whether heads are as wide as the tiles
 */
record MatrixForm(DType type, boolean modified, boolean folded, boolean whole) {
    /** {@return the form that a forward pass with these tiles needs} */
    static MatrixForm forward(AttentionCall call, MatrixTiles tiles) {
        return of(call, tiles, call.isFolded());
    }

    /** {@return the form that a backward pass with these tiles needs} */
    static MatrixForm backward(AttentionCall call, MatrixTiles tiles) {
        return of(call, tiles, false);
    }

    private static MatrixForm of(AttentionCall call, MatrixTiles tiles, boolean folded) {
        AttentionShape s = call.shape();
        boolean whole = s.headDim() == tiles.d() && s.valueHeadDim() % tiles.dv() == 0;
        return new MatrixForm(call.query.type(), call.isModified(), folded, whole);
    }

    /** {@return compiler options beside {@link AttentionCall#variant}, which knows type and modified} */
    String options() {
        return (whole ? " -DWHOLE=1" : "") + (folded ? " -DFOLDED=1" : "");
    }
}
