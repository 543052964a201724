package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;

/**
 * The compile-time parameters of a program for matrix units, except tile sizes. A compiler may miscompile one form and not
 * another, so each form has its own self-check.
 *
 * @param type storage type of queries, keys and values
 * @param modified whether scores have a softcap, a bias, ALiBi, or a scale that is not a factor of the softmax
 * @param folded whether one multiply-add scales a score for the exponential and subtracts the scaled row maximum
 * @param whole whether headDim and valueHeadDim fill whole tiles, without padding
 */
public record MatrixForm(DType type, boolean modified, boolean folded, boolean whole) {
    /** {@return compiler options for {@code folded} and {@code whole}; the caller adds those for type and modified} */
    public String options() {
        return (whole ? " -DWHOLE=1" : "") + (folded ? " -DFOLDED=1" : "");
    }
}
