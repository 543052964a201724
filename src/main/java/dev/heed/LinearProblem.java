package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;

/**
 * The description of one linear layer {@code y = f(x W + b)} without its data. Its case string begins with {@code linear}
 * and {@code <rows>x<in>x<out>}, as in {@code linear 512x384x1536 bias gelu f32}.
 *
 * @param rows rows of {@code x} and {@code y}
 * @param in columns of {@code x}
 * @param out columns of {@code y}
 * @param bias whether the layer has a bias {@code b}
 * @param activation {@code f}
 * @param type the type of input, parameters and output
 */
public record LinearProblem(long rows, long in, long out, boolean bias, Activation activation, DType type)
        implements Problem {
    private static final String GRAMMAR = "linear <rows>x<in>x<out> [bias] [relu|gelu|tanh] [f32|f64|f16|bf16]";

    /** Checks the sizes and the type. */
    public LinearProblem {
        if (Math.min(rows, Math.min(in, out)) < 1 || !type.isFloating()) {
            throw new InvalidInputException(
                    "Every size of a linear layer must be at least 1, and the type floating-point",
                    "sizes of 1 or more, and f32, f64, f16 or bf16",
                    CaseText.join(rows, in, out) + " " + type.label(),
                    "skip the call if there is nothing to compute");
        }
    }

    static LinearProblem parse(String caseString) {
        var words = new CaseText(caseString, GRAMMAR);
        words.takeFlag("linear");
        long[] sizes = words.sizes(words.takeNumber(""), 3);
        Activation activation = Activation.IDENTITY;
        for (Activation known : Activation.values()) {
            activation = words.takeFlag(known.word()) ? known : activation;
        }
        var problem =
                new LinearProblem(sizes[0], sizes[1], sizes[2], words.takeFlag("bias"), activation, words.takeType());
        words.end();
        return problem;
    }

    @Override
    public double flops() {
        return 2.0 * rows * in * out;
    }

    @Override
    public String toString() {
        return "linear " + CaseText.join(rows, in, out) + (bias ? " bias" : "")
                + (activation == Activation.IDENTITY ? "" : " " + activation.word()) + " " + type.label();
    }
}
