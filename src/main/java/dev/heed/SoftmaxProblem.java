package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The description of one softmax or log-softmax along an axis without its data. Examples of its case string are {@code
 * softmax 3x4x5 axis=1 f32} and {@code log-softmax 8x1000 axis=1 f32}.
 *
 * @param shape the shape of the tensor
 * @param axis the index of the axis along which the elements of the softmax sum to 1; 0 is the first axis
 * @param type the type of input and output
 * @param log whether the logarithm of the softmax is computed
 */
public record SoftmaxProblem(List<Long> shape, int axis, DType type, boolean log) implements Problem {
    private static final String GRAMMAR = "softmax|log-softmax <sizes> [axis=-1] [f32|f64|f16|bf16]";

    /** Checks sizes, axis and type. A negative axis is accepted too: -1 is the last axis, -2 the axis before it. */
    public SoftmaxProblem {
        shape = List.copyOf(shape);
        axis = axis < 0 ? axis + shape.size() : axis;
        if (axis < 0 || axis >= shape.size() || shape.stream().anyMatch(size -> size < 1) || !type.isFloating()) {
            throw new InvalidInputException(
                    "The softmax has no such axis, an empty axis, or no floating-point type",
                    "an axis of " + shape + ", sizes of 1 or more, and f32, f64, f16 or bf16",
                    "axis " + axis + ", " + type.label(),
                    "axis -1 is the last");
        }
    }

    /** {@return the problem of a tensor of this shape} */
    public static SoftmaxProblem of(long[] shape, int axis, DType type, boolean log) {
        return new SoftmaxProblem(LongStream.of(shape).boxed().toList(), axis, type, log);
    }

    static SoftmaxProblem parse(String caseString) {
        var words = new CaseText(caseString, GRAMMAR);
        boolean log = words.takeFlag("log-softmax");
        if (!log) {
            words.takeFlag("softmax");
        }
        long[] sizes = words.sizes(words.takeNumber(""), 0);
        String axis = words.take("axis=");
        DType type = words.takeType();
        SoftmaxProblem problem = of(sizes, axis == null ? -1 : words.integer(axis), type, log);
        words.end();
        return problem;
    }

    /** {@return the shape as an array} */
    public long[] sizes() {
        long[] sizes = new long[shape.size()];
        Arrays.setAll(sizes, shape::get);
        return sizes;
    }

    @Override
    public double flops() {
        return 4.0 * shape.stream().mapToDouble(Long::doubleValue).reduce(1, (a, b) -> a * b);
    }

    @Override
    public String toString() {
        return (log ? "log-softmax " : "softmax ")
                + shape.stream().map(String::valueOf).collect(Collectors.joining("x")) + " axis=" + axis + " "
                + type.label();
    }
}
