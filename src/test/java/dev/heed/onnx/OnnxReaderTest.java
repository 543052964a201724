package dev.heed.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OnnxReaderTest {
    @TempDir
    Path dir;

    // ---------------------------------------------------------------- tensors

    @ParameterizedTest
    @EnumSource(DType.class)
    void rawDataComeBackInEveryType(DType type) {
        Tensor tensor =
                Tensor.of(new double[] {0, 1, -2, 3.5, 100, -0.25}, 2, 3).to(type);
        OnnxTensor read = OnnxTensor.read(ProtoWriter.tensor("t", tensor), "t.pb");
        assertEquals("t", read.name());
        assertEquals(type, read.type());
        assertArrayEquals(new long[] {2, 3}, read.shape());
        assertArrayEquals(tensor.toDoubleArray(), read.tensor().toDoubleArray());
    }

    @Test
    void rawDataAreNotCopiedAndCannotBeWritten() {
        byte[] bytes = ProtoWriter.tensor("t", Tensor.of(new float[] {1, 2}, 2));
        Tensor tensor = OnnxTensor.read(bytes, "t.pb").tensor();
        bytes[bytes.length - 1] ^= (byte) 0x80; // the sign of the last element
        assertEquals(-2, tensor.get(1));
        assertTrue(tensor.isReadOnly());
    }

    @Test
    void typedFieldsComeBackPackedOrNot() {
        var floats =
                new ProtoWriter().varint(1, 2).varint(2, 1).fixed32(4, 1.5f).fixed32(4, -2);
        assertArrayEquals(new double[] {1.5, -2}, read(floats).toDoubleArray());

        byte[] packedFloats =
                ProtoWriter.littleEndian(8).putFloat(1.5f).putFloat(-2).array();
        byte[] packedDims = new ProtoWriter().number(1).number(2).toBytes();
        var packed = new ProtoWriter().bytes(1, packedDims).varint(2, 1).bytes(4, packedFloats);
        assertArrayEquals(new double[] {1.5, -2}, read(packed).toDoubleArray());
        assertArrayEquals(new long[] {1, 2}, read(packed).shape());

        var doubles = new ProtoWriter().varint(1, 1).varint(2, 11).fixed64(10, Math.PI);
        assertEquals(Math.PI, read(doubles).get(0));

        var ints = new ProtoWriter()
                .varint(1, 2)
                .varint(2, 6)
                .bytes(5, new ProtoWriter().number(-7).number(8).toBytes());
        assertArrayEquals(new double[] {-7, 8}, read(ints).toDoubleArray());

        long large = Long.MIN_VALUE + 1; // not exact in a double
        var longs = new ProtoWriter().varint(1, 1).varint(2, 7).varint(7, large);
        assertEquals(large, read(longs).segment().get(ValueLayout.JAVA_LONG, 0));

        var halves =
                new ProtoWriter().varint(1, 2).varint(2, 10).varint(5, 0x3c00).varint(5, 0xc000);
        assertArrayEquals(new double[] {1, -2}, read(halves).toDoubleArray());
        var brains = new ProtoWriter().varint(1, 1).varint(2, 16).varint(5, 0xc000);
        assertEquals(-2, read(brains).get(0));
        var truths = new ProtoWriter().varint(1, 2).varint(2, 9).varint(5, 0).varint(5, 256);
        assertArrayEquals(new double[] {0, 1}, read(truths).toDoubleArray());
    }

    @Test
    void aTensorWithoutAxesIsANumber() {
        Tensor scalar = read(new ProtoWriter().varint(2, 1).fixed32(4, 3));
        assertEquals(0, scalar.rank());
        assertEquals(3, scalar.get());
    }

    @Test
    void typesThatHeedDoesNotHaveAreNamed() {
        OnnxTensor text = OnnxTensor.read(
                new ProtoWriter()
                        .varint(1, 1)
                        .varint(2, 8)
                        .text(6, "word")
                        .text(8, "words")
                        .toBytes(),
                "t.pb");
        assertNull(text.type());
        assertRefused(text::tensor, "string[1] \"words\" of t.pb");
        OnnxTensor unknown = OnnxTensor.read(new ProtoWriter().varint(2, -5).toBytes(), "t.pb");
        assertNull(unknown.type());
        assertRefused(unknown::tensor, "type -5");
    }

    @Test
    void dataInAnotherFileAreRefused() {
        var entry = new ProtoWriter().text(1, "location").text(2, "weights.bin");
        byte[] bytes = new ProtoWriter()
                .varint(1, 2)
                .varint(2, 1)
                .text(8, "w")
                .message(13, entry)
                .varint(14, 1)
                .toBytes();
        assertRefused(() -> OnnxTensor.read(bytes, "t.pb").tensor(), "another file");
    }

    @Test
    void shapesThatTheDataDoNotFillAreRefused() {
        byte[] eight = new byte[8];
        for (long[] dims :
                new long[][] {{3}, {1}, {0}, {-2}, {-1, -2}, {1L << 62, 4}, {1L << 40}, {1L << 32, 1L << 32}}) {
            var raw = new ProtoWriter().varint(2, 1).bytes(9, eight);
            var typed = new ProtoWriter().varint(2, 7).varint(7, 1);
            for (long dim : dims) {
                raw.varint(1, dim);
                typed.varint(1, dim == 1 ? 2 : dim);
            }
            assertRefused(() -> read(raw), "t.pb");
            assertRefused(() -> read(typed), "t.pb");
        }
    }

    @Test
    void lengthsThatLeaveTheFileAreRefusedWithoutTakingMemory() {
        for (long length : new long[] {9, Integer.MAX_VALUE, 1L << 40, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            byte[] bytes = new ProtoWriter()
                    .varint(2, 1)
                    .number(9 << 3 | 2)
                    .number(length)
                    .number(0)
                    .toBytes();
            assertRefused(() -> OnnxTensor.read(bytes, "t.pb"), "t.pb");
            assertRefused(() -> OnnxModel.read(bytes, "m.onnx"), "m.onnx");
        }
        assertRefused(() -> OnnxTensor.read(new byte[0], "t.pb"), "t.pb");
        assertRefused(() -> OnnxModel.read(new byte[0], "m.onnx"), "m.onnx");
        byte[] endless = new byte[40];
        Arrays.fill(endless, (byte) 0x80);
        assertRefused(() -> OnnxTensor.read(endless, "t.pb"), "t.pb");
    }

    // ---------------------------------------------------------------- models

    @Test
    void aModelComesBack() throws IOException {
        Tensor weights = Tensor.of(new float[] {1, 2, 3}, 3);
        var node = new ProtoWriter()
                .text(1, "x")
                .text(1, "")
                .text(1, "w")
                .text(2, "y")
                .text(3, "first")
                .text(4, "Attention")
                .text(7, "ai.onnx")
                .message(5, attribute("f", 1).fixed32(2, 0.5f))
                .message(5, attribute("i", 2).varint(3, -3))
                .message(5, attribute("s", 3).text(4, "word"))
                .message(5, attribute("t", 4).bytes(5, ProtoWriter.tensor("", weights)))
                .message(5, attribute("g", 5).message(6, new ProtoWriter()))
                .message(5, attribute("fs", 6).fixed32(7, 1).fixed32(7, 2))
                .message(
                        5,
                        attribute("is", 7)
                                .bytes(8, new ProtoWriter().number(4).number(-5).toBytes()))
                .message(5, attribute("zero", 2))
                .message(5, new ProtoWriter().text(1, "untold").varint(3, 9))
                .message(5, attribute("strange", 77));
        var graph = new ProtoWriter()
                .message(1, node)
                .bytes(5, ProtoWriter.tensor("w", weights))
                .message(11, new ProtoWriter().text(1, "x").message(2, new ProtoWriter()))
                .message(12, new ProtoWriter().text(1, "y"));
        byte[] bytes = new ProtoWriter()
                .varint(1, 10)
                .message(8, new ProtoWriter().varint(2, 24))
                .message(8, new ProtoWriter().text(1, "com.example").varint(2, 3))
                .message(7, graph)
                .toBytes();
        Path file = dir.resolve("model.onnx");
        Files.write(file, bytes);

        for (OnnxModel model : List.of(
                OnnxModel.read(file),
                OnnxModel.read(bytes, "model.onnx"),
                OnnxModel.read(new ByteArrayInputStream(bytes), "model.onnx"))) {
            assertEquals(Map.of("", 24L, "com.example", 3L), model.opsets());
            assertEquals(List.of("x"), model.inputs());
            assertEquals(List.of("y"), model.outputs());
            assertArrayEquals(
                    new double[] {1, 2, 3}, model.initializer("w").tensor().toDoubleArray());
            assertRefused(() -> model.initializer("v"), "[w]");
            OnnxNode read = model.nodes().getFirst();
            assertEquals(24, model.opset(read));
            assertEquals(List.of("x", "", "w"), read.inputs());
            assertEquals("Attention", read.opType());
            assertEquals("", read.domain());
            assertEquals("first", read.name());
            assertEquals(0.5f, read.number("f", null));
            assertNull(read.number("none", null));
            assertEquals(-3, read.whole("i", 0));
            assertEquals(0, read.whole("zero", 5));
            assertEquals(9, read.whole("untold", 5));
            assertEquals(5, read.whole("none", 5));
            assertEquals(new OnnxAttribute.Text("word"), read.attributes().get("s"));
            assertEquals(
                    new OnnxAttribute.Numbers(List.of(1f, 2f)),
                    read.attributes().get("fs"));
            assertEquals(
                    new OnnxAttribute.Wholes(List.of(4L, -5L)),
                    read.attributes().get("is"));
            assertEquals(new OnnxAttribute.Other("graph"), read.attributes().get("g"));
            assertEquals(new OnnxAttribute.Other("kind 77"), read.attributes().get("strange"));
            assertTrue(read.attributes().get("t") instanceof OnnxAttribute.Data(OnnxTensor t)
                    && t.tensor().get(2) == 3);
            assertRefused(() -> read.whole("f", 0), "Attribute f of Attention");
        }
    }

    private static ProtoWriter attribute(String name, int kind) {
        return new ProtoWriter().text(1, name).varint(20, kind);
    }

    @Test
    void filesThatCannotBeReadAreNamed() {
        assertRefused(() -> OnnxModel.read(dir.resolve("nowhere.onnx")), "nowhere.onnx");
        assertRefused(() -> OnnxTensor.read(dir), String.valueOf(dir.getFileName()));
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the line is dead");
            }
        };
        assertRefused(() -> OnnxModel.read(broken, "remote.onnx"), "the line is dead");
    }

    @Test
    void aRealModelOf90MegabytesIsReadAtOnce() throws IOException {
        try (InputStream stream = getClass().getResourceAsStream("/all-minilm-l6-v2.onnx")) {
            Assumptions.assumeTrue(stream != null, "all-minilm-l6-v2.onnx is not on the class path");
            OnnxModel model = OnnxModel.read(stream, "all-minilm-l6-v2.onnx");
            OnnxTensor words = model.initializer("embeddings.word_embeddings.weight");
            assertArrayEquals(new long[] {30522, 384}, words.shape());
            assertEquals(30522L * 384, words.tensor().elementCount());
            assertEquals(List.of("last_hidden_state"), model.outputs());
            for (OnnxTensor tensor : model.initializers().values()) {
                assertTrue(tensor.tensor().isReadOnly(), () -> tensor + " was copied");
            }
        }
    }

    // ---------------------------------------------------------------- helpers

    private static Tensor read(ProtoWriter message) {
        return OnnxTensor.read(message.toBytes(), "t.pb").tensor();
    }

    private static void assertRefused(Runnable action, String... words) {
        String message = assertThrows(InvalidInputException.class, action::run).getMessage();
        for (String word : words) {
            assertTrue(message.contains(word), message);
        }
        assertTrue(message.contains("expected") && message.contains("got") && message.contains("HINT"), message);
    }
}
