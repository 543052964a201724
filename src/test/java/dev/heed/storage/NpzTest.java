package dev.heed.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpzTest {
    private static final Path WRITTEN = Path.of("src/test/java/dev/heed/storage");
    private static final int ROUNDS = 3_000;

    @TempDir
    Path directory;

    @Test
    void readsWhatNumpyWrote() {
        Map<String, Tensor> plain = Npz.read(WRITTEN.resolve("plain.npz"));
        assertEquals(List.of("b", "a"), List.copyOf(plain.keySet()), "in the order of the file");
        assertEquals("f32 [2, 3] read-only", plain.get("b").toString());
        assertArrayEquals(new double[] {1, 200}, plain.get("a").toDoubleArray());
        Map<String, Tensor> packed = Npz.read(WRITTEN.resolve("packed.npz"));
        assertEquals("f16 [2, 2, 2] read-only", packed.get("head").toString());
        assertEquals(1, packed.get("head").get(1, 1, 1));
        assertArrayEquals(new double[] {1, 0}, packed.get("flag").toDoubleArray());
    }

    @Test
    void whatIsNoArrayIsLeftOut() throws IOException {
        Path file = directory.resolve("mixed.npz");
        try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("readme.txt"));
            zip.write('x');
            zip.putNextEntry(new ZipEntry("deep/er.npy"));
            zip.write(Files.readAllBytes(WRITTEN.resolve("weights.npy")));
        }
        assertEquals(List.of("deep/er"), List.copyOf(Npz.read(file).keySet()));
    }

    @Test
    void everyTruncationIsReadOrRefused() throws IOException {
        for (String name : List.of("plain.npz", "packed.npz")) {
            byte[] file = Files.readAllBytes(WRITTEN.resolve(name));
            for (int length = 0; length < file.length; length++) {
                readOrRefuse(Arrays.copyOf(file, length), "cut at " + length);
            }
        }
    }

    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        byte[][] files = {
            Files.readAllBytes(WRITTEN.resolve("plain.npz")), Files.readAllBytes(WRITTEN.resolve("packed.npz"))
        };
        var random = new Random(20170612);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] file = files[random.nextInt(2)].clone();
            for (int change = random.nextInt(3); change >= 0; change--) {
                file[random.nextInt(file.length)] = (byte) (random.nextInt(3) == 0 ? 0xff : random.nextInt());
            }
            refused += readOrRefuse(file, "round " + round) ? 0 : 1;
        }
        assertTrue(refused > ROUNDS / 2, refused + " refused");
    }

    private boolean readOrRefuse(byte[] bytes, String what) throws IOException {
        Path file = directory.resolve("fuzz.npz");
        Files.write(file, bytes);
        try {
            Npz.read(file).values().forEach(tensor -> tensor.at(tensor.elementCount() - 1));
            return true;
        } catch (InvalidInputException e) {
            assertTrue(e.getMessage().contains("fuzz.npz"), () -> what + ": " + e.getMessage());
            return false;
        }
    }

    @Test
    void whatIsNoZip() {
        assertThrows(InvalidInputException.class, () -> Npz.read(WRITTEN.resolve("weights.npy")));
        assertThrows(InvalidInputException.class, () -> Npz.read(directory.resolve("none.npz")));
        assertThrows(InvalidInputException.class, () -> Npz.read(directory));
    }
}
