package dev.heed.onnx;

import java.util.List;

/** The value of an attribute of a node ({@code AttributeProto}). */
public sealed interface OnnxAttribute {
    /**
     * A floating-point number.
     *
     * @param value the number, as precise as the file has it
     */
    record Number(float value) implements OnnxAttribute {}

    /**
     * A whole number; truth values are 0 and 1.
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
     * Floating-point numbers.
     *
     * @param values the numbers
     */
    record Numbers(List<Float> values) implements OnnxAttribute {}

    /**
     * Whole numbers.
     *
     * @param values the numbers
     */
    record Wholes(List<Long> values) implements OnnxAttribute {}

    /**
     * What is not read further: graphs, lists of texts, tensors or graphs, types.
     *
     * @param kind what it is
     */
    record Other(String kind) implements OnnxAttribute {}
}
