package dev.heed.onnx;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Reads truncated files, damaged files and random bytes, with fixed seeds. Each must be read or reported as invalid,
 * without any other failure.
 */
@Tag("slow")
class OnnxFuzzTest {
    private static final int ROUNDS = 60_000;

    @Test
    void everyTruncationIsReadOrRefused() {
        for (byte[] file : written()) {
            for (int length = 0; length < file.length; length++) {
                readOrRefuse(Arrays.copyOf(file, length), "cut at " + length);
            }
        }
    }

    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        List<byte[]> files = new ArrayList<>(written());
        files.addAll(published());
        var random = new Random(20170612);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] file = files.get(random.nextInt(files.size())).clone();
            int changes = 1 + random.nextInt(4);
            for (int change = 0; change < changes && file.length > 0; change++) {
                int at = random.nextInt(file.length);
                switch (random.nextInt(4)) {
                    case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
                    case 1 -> file[at] = (byte) random.nextInt();
                    case 2 -> file[at] = (byte) 0xff; // long varints, large lengths
                    default -> file = Arrays.copyOf(file, at);
                }
            }
            readOrRefuse(file, "round " + round);
        }
    }

    @Test
    void noiseIsReadOrRefused() {
        var random = new Random(1);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] noise = new byte[random.nextInt(64)];
            random.nextBytes(noise);
            readOrRefuse(noise, "noise " + round);
        }
    }

    private static void readOrRefuse(byte[] file, String what) {
        try {
            OnnxModel model = OnnxModel.read(file, "fuzz.onnx");
            model.initializers().values().forEach(tensor -> convertOrRefuse(tensor, what));
            for (OnnxNode node : model.nodes()) {
                for (OnnxAttribute attribute : node.attributes().values()) {
                    if (attribute instanceof OnnxAttribute.Data(OnnxTensor tensor)) {
                        convertOrRefuse(tensor, what);
                    }
                }
            }
        } catch (InvalidInputException e) {
            requireName(e, what);
        }
        try {
            convertOrRefuse(OnnxTensor.read(file, "fuzz.onnx"), what);
        } catch (InvalidInputException e) {
            requireName(e, what);
        }
    }

    private static void convertOrRefuse(OnnxTensor tensor, String what) {
        try {
            Tensor converted = tensor.tensor();
            converted.at(converted.elementCount() - 1);
        } catch (InvalidInputException e) {
            requireName(e, what);
        }
    }

    private static void requireName(InvalidInputException e, String what) {
        Assertions.assertTrue(e.getMessage().contains("fuzz.onnx"), () -> what + ": " + e.getMessage());
    }

    /** Generated files with raw, packed and unpacked data, nodes and attributes. */
    private static List<byte[]> written() {
        Tensor numbers = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        var packed = new ProtoWriter()
                .bytes(1, new ProtoWriter().number(2).number(2).toBytes())
                .varint(2, 7)
                .bytes(
                        7,
                        new ProtoWriter()
                                .number(1)
                                .number(-2)
                                .number(300)
                                .number(4)
                                .toBytes())
                .text(8, "packed");
        var node = new ProtoWriter()
                .text(1, "x")
                .text(2, "y")
                .text(4, "Constant")
                .message(
                        5,
                        new ProtoWriter()
                                .text(1, "value")
                                .bytes(5, ProtoWriter.tensor("v", numbers))
                                .varint(20, 4))
                .message(
                        5,
                        new ProtoWriter()
                                .text(1, "axes")
                                .bytes(8, new byte[] {1, 2, 3})
                                .varint(20, 7))
                .message(
                        5,
                        new ProtoWriter()
                                .text(1, "scales")
                                .fixed32(7, 1)
                                .fixed32(7, 2)
                                .varint(20, 6));
        var graph = new ProtoWriter()
                .message(1, node)
                .bytes(5, ProtoWriter.tensor("w", numbers.to(DType.F16)))
                .message(5, packed)
                .message(11, new ProtoWriter().text(1, "x"));
        return List.of(
                ProtoWriter.tensor("raw", numbers),
                packed.toBytes(),
                ProtoWriter.model("Softmax", 13, Map.of("axis", 1L), List.of("x"), List.of("y"), Map.of()),
                new ProtoWriter()
                        .message(7, graph)
                        .message(8, new ProtoWriter().varint(2, 13))
                        .toBytes());
    }

    /** Files of the conformance data, if present; the test does not need them. */
    private static List<byte[]> published() throws IOException {
        Path data = Path.of(System.getProperty("heed.conformance", "../shared/conformance"));
        if (!Files.isDirectory(data)) {
            return List.of();
        }
        List<byte[]> files = new ArrayList<>();
        try (Stream<Path> paths = Files.walk(data)) {
            for (Path path : paths.filter(p -> p.toString().matches(".*\\.(pb|onnx)"))
                    .sorted()
                    .toList()) {
                files.add(Files.readAllBytes(path));
            }
        }
        return files;
    }
}
