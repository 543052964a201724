package dev.heed.onnx;

import java.util.List;

/** The value of an attribute of a node ({@code AttributeProto}). */
public sealed interface OnnxAttribute {
    /**
     * A floating-point number.
     *
     * @param value the number, in the precision of the file
     */
    record Number(float value) implements OnnxAttribute {}

    /**
     * An integer; booleans are 0 and 1.
     *
     * @param value the number
     */
    record Whole(long value) implements OnnxAttribute {}

    /**
     * A text.
     *
     * @param value the text
     */
    record Text(String value) implements OnnxAttribute {}

    /**
     * A tensor.
     *
     * @param value the tensor
     */
    record Data(OnnxTensor value) implements OnnxAttribute {}

    /**
     * A list of floating-point numbers.
     *
     * @param values the numbers
     */
    record Numbers(List<Float> values) implements OnnxAttribute {}

    /**
     * A list of integers.
     *
     * @param values the numbers
     */
    record Wholes(List<Long> values) implements OnnxAttribute {}

    /**
     * A value that is not read: a graph, a type, or a list of texts, tensors or graphs.
     *
     * @param kind {@code graph}, or {@code kind} and the number of the kind in ONNX
     */
    record Other(String kind) implements OnnxAttribute {}
}
