package dev.heed.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyTest {
    /** The folder of the files written by NumPy 2.4. */
    private static final Path WRITTEN = Path.of("src/test/java/dev/heed/storage");

    private static final double[] WEIGHTS = {0.5, 0.25, 0.25, 0.125, 0, 0.875};

    @TempDir
    Path directory;

    private static void assertTensor(String expected, double[] values, Tensor tensor) {
        assertEquals(expected, tensor.toString());
        assertArrayEquals(values, tensor.toDoubleArray());
    }

    @Test
    void readsWhatNumpyWrote() {
        assertTensor("f32 [2, 3] read-only", WEIGHTS, Npy.read(WRITTEN.resolve("weights.npy")));
        assertTensor("i64 [3]", new double[] {1, -2, 300}, Npy.read(WRITTEN.resolve("big-endian.npy")));
        assertTensor(
                "f64 [2, 3] strided read-only",
                new double[] {0, 1, 2, 3, 4, 5},
                Npy.read(WRITTEN.resolve("fortran.npy")));
    }

    @Test
    void writesTheBytesThatNumpyWrites() throws IOException {
        Path file = directory.resolve("weights.npy");
        Npy.write(file, Tensor.of(WEIGHTS, 2, 3).to(DType.F32));
        assertArrayEquals(Files.readAllBytes(WRITTEN.resolve("weights.npy")), Files.readAllBytes(file));
    }

    @ParameterizedTest
    @EnumSource
    void everyTypeComesBack(DType type) throws IOException {
        Path file = directory.resolve("tensor.npy");
        for (long[] shape : List.of(new long[] {}, new long[] {5}, new long[] {2, 3}, new long[] {3, 1, 2, 2})) {
            Tensor tensor = StorageFiles.numbers(type, shape);
            Npy.write(file, tensor);
            Tensor read = Npy.read(file);
            assertEquals(type == DType.BF16 ? DType.F32 : type, read.type(), "NumPy has no bf16");
            assertArrayEquals(shape, read.shape());
            assertArrayEquals(tensor.toDoubleArray(), read.toDoubleArray());
        }
    }

    /** A tensor with scales must be refused: without the scales, its bytes would be read as other values. */
    @Test
    void scalesAreNotLost() throws IOException {
        Path file = directory.resolve("scaled.npy");
        Tensor scaled = Tensor.of(new float[] {1, -2, 3, 0.5f}, 2, 2).quantized();
        var refused = assertThrows(InvalidInputException.class, () -> Npy.write(file, scaled));
        assertTrue(refused.getMessage().contains("tensor.to(DType.F32)"), refused.getMessage());
        Npy.write(file, scaled.to(DType.F32));
        assertArrayEquals(scaled.toFloatArray(), Npy.read(file).toFloatArray());
    }

    @Test
    void viewsAreWrittenAsTheyAreSeen() throws IOException {
        Path file = directory.resolve("view.npy");
        Tensor turned = StorageFiles.numbers(DType.F32, 3, 4).transpose(0, 1).slice(0, 1, 3);
        Npy.write(file, turned);
        assertTensor("f32 [2, 3] read-only", turned.toDoubleArray(), Npy.read(file));
        Tensor row = StorageFiles.numbers(DType.F64, 3, 4).select(0, 2);
        Npy.write(file, row);
        assertTensor("f64 [4] read-only", row.toDoubleArray(), Npy.read(file));
        Tensor large = Tensor.of(new long[] {Long.MAX_VALUE, 1, Long.MIN_VALUE + 1, 3}, 2, 2);
        Npy.write(file, large.transpose(0, 1));
        assertEquals(
                Long.MIN_VALUE + 1,
                Npy.read(file).segment().getAtIndex(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 1));
    }

    @ParameterizedTest
    @CsvSource({
        "<i2, 0100 ffff, i32, 1, -1",
        ">i2, 0001 fffe, i32, 1, -2",
        "<u2, 0100 ffff, i32, 1, 65535",
        "|i1, 01 ff, i8, 1, -1",
        "|u1, 01 ff, i32, 1, 255",
        "u1, 01 ff, i32, 1, 255",
        "<u4, 01000000 ffffffff, i64, 1, 4294967295",
        ">f4, 3f800000 c0000000, f32, 1, -2",
        ">f2, 3c00 c000, f16, 1, -2",
        "=f8, 000000000000f03f 00000000000000c0, f64, 1, -2",
        "|b1, 00 01, bool, 0, 1"
    })
    void otherTypesAreRead(String type, String data, String expected, double first, double second) {
        byte[] file = StorageFiles.npy("{'shape': (2,), 'descr': '" + type + "', 'fortran_order': False}", data);
        assertTensor(expected + " [2]" + readOnly(type), new double[] {first, second}, Npy.read(file, "types.npy"));
    }

    /**
     * Returns the ending of a tensor's text: tensors that share the bytes of the file are read-only, copied tensors are
     * writable.
     */
    private static String readOnly(String type) {
        return type.matches("\\|[bi]1|=f8") ? " read-only" : "";
    }

    @Test
    void headersOfEveryVersionAreRead() throws IOException {
        String header = "{\"descr\": \"<f4\", \"fortran_order\": True, \"shape\": (1,),}";
        byte[] one = StorageFiles.npy(header, "0000803f");
        for (byte version = 2; version <= 3; version++) {
            byte[] file = new byte[one.length + 2];
            System.arraycopy(one, 0, file, 0, 10);
            System.arraycopy(one, 10, file, 12, one.length - 10);
            file[6] = version;
            assertEquals(1, Npy.read(new ByteArrayInputStream(file), "version").get(0));
        }
        assertEquals(1, Npy.read(one, "version").get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"|O", "<U5", "<c8", "<f16", "<u8", "<M8[ns]", "|V2", "|S3"})
    void typesThatHeedDoesNotHaveAreNamed(String type) {
        byte[] file = StorageFiles.npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': (1,)}", "00");
        var e = assertThrows(InvalidInputException.class, () -> Npy.read(file, "odd.npy"));
        assertTrue(e.getMessage().contains("odd.npy") && e.getMessage().contains(type), e.getMessage());
    }

    @Test
    void damagedFilesAreRefusedInWords() {
        Map<String, String> broken = Map.of(
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "12 bytes",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "header { ... }",
                "{'descr': '<f4', 'shape': (1,)}", "fortran_order",
                "{'descr': '<f4', 'fortran_order': 'no', 'shape': (1,)}", "fortran_order",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", "tuple",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}", "no elements",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000000000, 9)}", "fits into memory",
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "[('a', '<f4')]");
        broken.forEach((header, word) -> {
            var e = assertThrows(
                    InvalidInputException.class, () -> Npy.read(StorageFiles.npy(header, "00000000"), "bad.npy"));
            assertTrue(e.getMessage().contains("bad.npy") && e.getMessage().contains(word), e.getMessage());
        });
        assertThrows(InvalidInputException.class, () -> Npy.read(new byte[0], "empty.npy"));
        assertThrows(InvalidInputException.class, () -> Npy.read(directory.resolve("none.npy")));
        assertThrows(InvalidInputException.class, () -> Npy.read(directory));
    }

    @Test
    void anOlderFileIsReplacedWholeAndItsReadersKeepIt() throws IOException {
        Path file = directory.resolve("tensor.npy");
        Npy.write(file, Tensor.of(new float[] {1, 2, 3}, 3));
        Tensor before = Npy.read(file);
        Npy.write(file, Tensor.of(new float[] {4}, 1));
        assertArrayEquals(new double[] {1, 2, 3}, before.toDoubleArray());
        assertArrayEquals(new double[] {4}, Npy.read(file).toDoubleArray());
        try (var files = Files.list(directory)) {
            assertEquals(1, files.count(), "there must be no other file");
        }
    }

    @Test
    void whereNothingCanBeWritten() {
        Tensor tensor = Tensor.of(new float[1], 1);
        assertThrows(FileSystemException.class, () -> Npy.write(directory, tensor));
        assertThrows(NoSuchFileException.class, () -> Npy.write(directory.resolve("no/such.npy"), tensor));
        assertTrue(Arrays.stream(directory.toFile().list()).toList().isEmpty());
    }
}
