package dev.heed.onnx;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** A writer of protobuf fields and of the ONNX messages that tests need. */
public final class ProtoWriter {
    private static final int IR_VERSION = 10;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    public ProtoWriter varint(int field, long value) {
        number((long) field << 3);
        number(value);
        return this;
    }

    public ProtoWriter fixed32(int field, float value) {
        number((long) field << 3 | 5);
        out.writeBytes(littleEndian(4).putFloat(value).array());
        return this;
    }

    public ProtoWriter fixed64(int field, double value) {
        number((long) field << 3 | 1);
        out.writeBytes(littleEndian(8).putDouble(value).array());
        return this;
    }

    public ProtoWriter bytes(int field, byte[] value) {
        number((long) field << 3 | 2);
        number(value.length);
        out.writeBytes(value);
        return this;
    }

    public ProtoWriter text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    public ProtoWriter message(int field, ProtoWriter value) {
        return bytes(field, value.toBytes());
    }

    public byte[] toBytes() {
        return out.toByteArray();
    }

    static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Writes a varint without a tag, as in packed fields. */
    ProtoWriter number(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
        return this;
    }

    // ---------------------------------------------------------------- ONNX

    /** {@return the code of an element type in ONNX} */
    public static int typeCode(DType type) {
        return switch (type) {
            case F32 -> 1;
            case I32 -> 6;
            case I8 -> 3;
            case I64 -> 7;
            case BOOL -> 9;
            case F16 -> 10;
            case F64 -> 11;
            case BF16 -> 16;
        };
    }

    /** Returns a {@code TensorProto} with raw data. */
    public static byte[] tensor(String name, Tensor tensor) {
        Tensor whole = tensor.copy();
        MemorySegment bytes = whole.segment();
        var message = new ProtoWriter();
        for (long size : tensor.shape()) {
            message.varint(1, size);
        }
        return message.varint(2, typeCode(tensor.type()))
                .text(8, name)
                .bytes(9, bytes.toArray(ValueLayout.JAVA_BYTE))
                .toBytes();
    }

    /**
     * Returns a {@code ModelProto} with one node. Attributes are {@code Long} or {@code Float}; an empty name omits an
     * input or output.
     */
    public static byte[] model(
            String opType,
            long opset,
            Map<String, ?> attributes,
            List<String> inputs,
            List<String> outputs,
            Map<String, DType> types) {
        var node = new ProtoWriter();
        inputs.forEach(input -> node.text(1, input));
        outputs.forEach(output -> node.text(2, output));
        node.text(4, opType);
        attributes.forEach((name, value) -> {
            var attribute = new ProtoWriter().text(1, name);
            switch (value) {
                case Long whole -> attribute.varint(3, whole).varint(20, 2);
                case Float number -> attribute.fixed32(2, number).varint(20, 1);
                default -> throw new IllegalArgumentException(name + " " + value);
            }
            node.message(5, attribute);
        });
        var graph = new ProtoWriter().message(1, node).text(2, "case");
        inputs.stream().filter(input -> !input.isEmpty()).forEach(input -> graph.message(11, value(input, types)));
        outputs.stream().filter(output -> !output.isEmpty()).forEach(output -> graph.message(12, value(output, types)));
        return new ProtoWriter()
                .varint(1, IR_VERSION)
                .message(7, graph)
                .message(8, new ProtoWriter().text(1, "").varint(2, opset))
                .toBytes();
    }

    private static ProtoWriter value(String name, Map<String, DType> types) {
        var tensorType = new ProtoWriter().varint(1, typeCode(types.getOrDefault(name, DType.F32)));
        return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensorType));
    }
}
