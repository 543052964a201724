package dev.heed;

import dev.heed.tensor.DType;

/**
 * The description of one computation without its data: shapes, types and options. Problems are compared by value, so they
 * can be keys of maps. {@code toString} prints the case string and {@link #parse(String)} reads it back.
 */
public sealed interface Problem
        permits AttentionProblem, SoftmaxProblem, MultiHeadProblem, LinearProblem, RotaryProblem {

    /** {@return the type of the inputs; bytes as keys and values have another} */
    DType type();

    /** {@return the number of floating-point operations of one forward pass, masked cells included} */
    double flops();

    /**
     * Reads a case string of any kind of problem.
     *
     * @throws dev.heed.tensor.InvalidInputException if it is not a case string
     */
    static Problem parse(String caseString) {
        String text = caseString.strip();
        if (text.startsWith("softmax ") || text.startsWith("log-softmax ")) {
            return SoftmaxProblem.parse(text);
        }
        if (text.startsWith("rotary ")) {
            return RotaryProblem.parse(text);
        }
        if (text.startsWith("linear ")) {
            return LinearProblem.parse(text);
        }
        return text.startsWith("mha ") ? MultiHeadProblem.parse(text) : AttentionProblem.parse(text);
    }
}
