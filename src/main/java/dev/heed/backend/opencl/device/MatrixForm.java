package dev.heed.backend.opencl.device;

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
public record MatrixForm(DType type, boolean modified, boolean folded, boolean whole) {
    /** {@return compiler options in addition to the options of every kernel, which already say the type and whether scores are modified} */
    public String options() {
        return (whole ? " -DWHOLE=1" : "") + (folded ? " -DFOLDED=1" : "");
    }
}
