package dev.heed.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafeTensorsTest {
    /** A file written by the Python package safetensors 0.8. */
    private static final Path WRITTEN = Path.of("src/test/java/dev/heed/storage/small.safetensors");

    @TempDir
    Path directory;

    @Test
    void readsWhatPythonWrote() {
        SafeTensors file = SafeTensors.open(WRITTEN);
        assertEquals(List.of("steps", "query.weight", "bytes", "mask"), List.copyOf(file.names()));
        assertEquals(Map.of("format", "np", "note", "a \"quote\""), file.metadata());
        Map<String, Tensor> tensors = SafeTensors.read(WRITTEN);
        assertEquals("f32 [2, 3] read-only", tensors.get("query.weight").toString());
        assertArrayEquals(
                new double[] {0.5, 0.25, 0.25, 0.125, 0, 0.875},
                tensors.get("query.weight").toDoubleArray());
        assertArrayEquals(new double[] {7, -8}, tensors.get("steps").toDoubleArray());
        assertArrayEquals(new double[] {1, 0, 1}, tensors.get("mask").toDoubleArray());
        assertEquals("i32 [1, 1]", tensors.get("bytes").toString());
        assertEquals(255, tensors.get("bytes").get(0, 0));
    }

    @Test
    void theBytesOfAWrittenFileArePinned() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("flag", Tensor.of(new boolean[] {true}, 1));
        tensors.put("w", Tensor.of(new float[] {1, 2}, 1, 2));
        Path file = directory.resolve("pinned.safetensors");
        SafeTensors.write(file, tensors, Map.of("made", "by \\ \n"));
        String header = "{\"__metadata__\":{\"made\":\"by \\\\ \\u000a\"},"
                + "\"flag\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[8,9]},"
                + "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}";
        byte[] bytes = Files.readAllBytes(file);
        assertEquals(bytes[0] & 0xFF, bytes.length - 8 - 9);
        assertEquals(0, bytes[0] % 8, "elements are aligned to their size");
        assertEquals(header, new String(bytes, 8, bytes[0] & 0xFF, StandardCharsets.UTF_8).strip());
        assertArrayEquals(
                new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40, 1},
                Arrays.copyOfRange(bytes, bytes.length - 9, bytes.length));
    }

    @ParameterizedTest
    @EnumSource
    void everyTypeComesBack(DType type) throws IOException {
        Path file = directory.resolve("tensors.safetensors");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("odd", StorageFiles.numbers(DType.BOOL, 3));
        tensors.put("", StorageFiles.numbers(type));
        tensors.put("注意 \"力\" 😀\n", StorageFiles.numbers(type, 5));
        tensors.put("turned", StorageFiles.numbers(type, 2, 3).transpose(0, 1));
        tensors.put("slice", StorageFiles.numbers(type, 4, 2).slice(0, 1, 3));
        SafeTensors.write(file, tensors);
        Map<String, Tensor> read = SafeTensors.read(file);
        assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.keySet()));
        tensors.forEach((name, tensor) -> {
            assertEquals(tensor.type(), read.get(name).type());
            assertArrayEquals(tensor.shape(), read.get(name).shape());
            assertArrayEquals(tensor.toDoubleArray(), read.get(name).toDoubleArray());
        });
    }

    @Test
    void aFileWithoutTensors() throws IOException {
        Path file = directory.resolve("empty.safetensors");
        SafeTensors.write(file, Map.of());
        assertEquals(Map.of(), SafeTensors.read(file));
    }

    @Test
    void aFileCanBeWrittenFromItself() throws IOException {
        Path file = directory.resolve("self.safetensors");
        SafeTensors.write(file, Map.of("w", Tensor.of(new float[] {1, 2, 3}, 3)));
        Map<String, Tensor> read = SafeTensors.read(file);
        SafeTensors.write(file, Map.of("w", read.get("w").slice(0, 1, 2)));
        assertArrayEquals(new double[] {1, 2, 3}, read.get("w").toDoubleArray());
        assertArrayEquals(new double[] {2}, SafeTensors.read(file).get("w").toDoubleArray());
    }

    @Test
    void blanksAndEscapesOfJsonAreRead() {
        byte[] file = StorageFiles.safe(
                " {\t\"\\u00e9\\n\\/\" : {\"shape\" : [ 2 , 1 ] , \"data_offsets\":[0,\n2],\"dtype\":\"U8\"} }  ", 2);
        assertEquals(
                List.of("é\n/"), List.copyOf(SafeTensors.open(file, "blanks").names()));
    }

    static List<String> broken() {
        String w = "\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":";
        return List.of(
                "",
                "[]",
                "{",
                "{} {}",
                "{\"w\":1}",
                "{" + w + "[0,4]}",
                "{" + w + "[0,4]},}",
                "{" + w + "[0,4]}," + w + "[4,8]}}",
                "{" + w + "[0,3]}}",
                "{" + w + "[1,5]}}",
                "{" + w + "[4,0]}}",
                "{" + w + "[0,4,4]}}",
                "{" + w + "[0,8]}}",
                "{" + w + "[-1,4]}}",
                "{" + w + "[0,4.0]}}",
                "{" + w + "[0,04]}}",
                "{" + w + "[0,9999999999999999999999]}}",
                "{" + w + "[0,4],\"more\":1}}",
                "{" + w.replace("[1]", "[0]") + "[0,4]}}",
                "{" + w.replace("[1]", "[4294967296,4294967296,4]") + "[0,4]}}",
                "{" + w.replace("F32", "F8_E5M2") + "[0,4]}}",
                "{" + w.replace("\"w\"", "\"\\q\"") + "[0,4]}}",
                "{" + w.replace("\"w\"", "\"\\u00g0\"") + "[0,4]}}",
                "{" + w.replace("\"w\"", "\"a\nb\"") + "[0,4]}}",
                "{\"__metadata__\":{\"a\":1}," + w + "[0,4]}}",
                "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}," + w + "[0,4]}}");
    }

    @ParameterizedTest
    @MethodSource("broken")
    void damagedHeadersAreRefusedInWords(String header) {
        byte[] file = StorageFiles.safe(header, 4);
        var e = assertThrows(
                InvalidInputException.class,
                () -> SafeTensors.open(file, "bad.safetensors").tensors());
        assertTrue(e.getMessage().contains("bad.safetensors"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 5, 100_000_001, Long.MAX_VALUE})
    void lengthsAreNotBelieved(long length) {
        byte[] file = new byte[12];
        java.nio.ByteBuffer.wrap(file).order(java.nio.ByteOrder.LITTLE_ENDIAN).putLong(length);
        assertThrows(InvalidInputException.class, () -> SafeTensors.open(file, "length"));
    }

    @Test
    void whatHeedHasNoTypeForIsListedAndRefused() {
        byte[] file = StorageFiles.safe("{\"u\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8);
        SafeTensors opened = SafeTensors.open(file, "types");
        assertEquals(List.of("u"), List.copyOf(opened.names()));
        var e = assertThrows(InvalidInputException.class, () -> opened.tensor("u"));
        assertTrue(e.getMessage().contains("U64"), e.getMessage());
        var none = assertThrows(InvalidInputException.class, () -> opened.tensor("v"));
        assertTrue(none.getMessage().contains("one of u"), none.getMessage());
    }

    @Test
    void whatCannotBeWritten() {
        Map<String, Tensor> tensors = Map.of("w", Tensor.of(new float[1], 1));
        Path nowhere = directory.resolve("no/such.safetensors");
        assertThrows(NoSuchFileException.class, () -> SafeTensors.write(nowhere, tensors));
        Path file = directory.resolve("kept.safetensors");
        assertThrows(
                InvalidInputException.class,
                () -> SafeTensors.write(file, Map.of("__metadata__", Tensor.of(new float[1], 1))));
        assertTrue(Files.notExists(file));
    }
}
