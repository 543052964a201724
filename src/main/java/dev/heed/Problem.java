package dev.heed;

/**
 * What is asked of a backend, without the data: shapes, types and options. Problems are values, so they are keys of plans
 * and tuning tables. {@code toString} prints the case string and {@link #parse(String)} reads it back.
 */
public sealed interface Problem
        permits AttentionProblem, SoftmaxProblem, MultiHeadProblem, LinearProblem, RotaryProblem {

    /** {@return floating-point operations of one forward pass, masks ignored} */
    double flops();

    /**
     * Reads a case string of any kind.
     *
     * @throws dev.heed.tensor.InvalidInputException if it is none
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
