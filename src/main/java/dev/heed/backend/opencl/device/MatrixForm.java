package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;

/**
 * The compile-time parameters of one program of a kernel for matrix units. Each form is a separate program, which a compiler may
 * get wrong independently of the others, so each form has its own self-check.
 *
 * @param type storage type of queries, keys and values
 * @param modified whether scores are more than products: with softcap, bias, ALiBi or a negative scale
 * @param folded whether the exponent's factor and the row maximum are applied to a score in one multiply-add
 * @param whole whether headDim and valueHeadDim fill whole tiles
 */
public record MatrixForm(DType type, boolean modified, boolean folded, boolean whole) {
    /** {@return compiler options for {@code folded} and {@code whole}; the options of every kernel contain the rest} */
    public String options() {
        return (whole ? " -DWHOLE=1" : "") + (folded ? " -DFOLDED=1" : "");
    }
}
