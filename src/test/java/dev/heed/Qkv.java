package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.stream.Stream;

/** Random queries, keys and values of one attention. The same case string gives the same tensors on every machine. */
public record Qkv(Tensor query, Tensor key, Tensor value) {

    /**
     * Small shapes with properties that may expose kernel bugs: types, unusual head sizes, shared heads, a single query or
     * key.
     */
    static Stream<String> shapes() {
        return Stream.of(
                "q1x1x1x1 kv1x1 f32",
                "q2x4x5x16 kv2x7 f32",
                "q1x3x17x33 kv3x40 dv9 f32",
                "q1x8x1x64 kv2x129 f32",
                "q1x2x70x20 kv1x67 f32",
                "q2x2x33x8 kv1x65 f64",
                "q1x4x9x24 kv2x19 f16",
                "q1x4x9x24 kv2x19 bf16");
    }

    /** {@return standard normal tensors with the sizes and the type of a case string} */
    public static Qkv of(String caseString) {
        AttentionProblem p = AttentionProblem.parse(caseString);
        AttentionShape s = p.shape();
        var random = new RandomTensors(caseString.hashCode());
        return new Qkv(
                random.normal(p.type(), s.batch(), s.numHeads(), s.seqLenQ(), s.headDim()),
                random.normal(p.type(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.headDim()),
                random.normal(p.type(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim()));
    }

    /** {@return the inputs of an attention with these tensors and options} */
    public AttentionInputs with(AttentionOptions options) {
        return AttentionInputs.of(query, key, value, options);
    }

    /** {@return the same queries with other keys and values} */
    Qkv meeting(Tensor otherKey, Tensor otherValue) {
        return new Qkv(query, otherKey, otherValue);
    }

    /** {@return copies of all tensors, which a test may change} */
    Qkv copy() {
        return new Qkv(query.copy(), key.copy(), value.copy());
    }

    DType type() {
        return query.type();
    }

    AttentionShape shape() {
        return AttentionShape.of(query, key, value);
    }

    /** {@return the distance from 1 to the next larger number of the type} */
    static double unit(DType type) {
        return switch (type) {
            case F64 -> 0x1p-52;
            case F32 -> 0x1p-23;
            case F16 -> 0x1p-10;
            case BF16 -> 0x1p-7;
            default -> throw new IllegalArgumentException(type.label());
        };
    }

    /**
     * {@return the maximum rounding error of an output: a few units in the last place of the largest value, more for many
     * keys}
     */
    double outputTolerance() {
        return (8 + shape().seqLenKv() / 16.0) * unit(type()) * Math.max(1, RandomTensors.largest(value));
    }

    /** {@return the maximum rounding error of a weight or an LSE} */
    double statisticsTolerance() {
        return (16 + shape().seqLenKv() / 4.0) * unit(type().accumulator());
    }
}
