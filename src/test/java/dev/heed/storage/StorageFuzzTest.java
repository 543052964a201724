package dev.heed.storage;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Reads truncated files, damaged files and random bytes, with fixed seeds. Each must be read or reported as invalid,
 * without any other failure.
 */
@Tag("slow")
class StorageFuzzTest {
    private static final int ROUNDS = 60_000;
    private static final byte[] PIECES = "{}[](),:'\"\\0129-<>|=fTrue ".getBytes(StandardCharsets.US_ASCII);

    private static List<byte[]> files() throws IOException {
        Path written = Path.of("src/test/java/dev/heed/storage");
        return List.of(
                Files.readAllBytes(written.resolve("weights.npy")),
                Files.readAllBytes(written.resolve("fortran.npy")),
                Files.readAllBytes(written.resolve("big-endian.npy")),
                StorageFiles.npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 1, 2)}", "00010203"),
                Files.readAllBytes(written.resolve("small.safetensors")),
                StorageFiles.safe(
                        "{\"\\u00e9\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
                                + "\"u\":{\"dtype\":\"U16\",\"shape\":[],\"data_offsets\":[8,10]}}",
                        10));
    }

    @Test
    void everyTruncationIsReadOrRefused() throws IOException {
        for (byte[] file : files()) {
            for (int length = 0; length < file.length; length++) {
                assertTrue(!readOrRefuse(Arrays.copyOf(file, length), "cut at " + length), "cut at " + length);
            }
        }
    }

    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        List<byte[]> files = files();
        var random = new Random(20170612);
        int read = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] file = files.get(random.nextInt(files.size())).clone();
            int changes = 1 + random.nextInt(4);
            for (int change = 0; change < changes && file.length > 0; change++) {
                int at = random.nextInt(file.length);
                switch (random.nextInt(5)) {
                    case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
                    case 1 -> file[at] = (byte) random.nextInt();
                    case 2 -> file[at] = (byte) 0xff;
                    case 3 -> file[at] = PIECES[random.nextInt(PIECES.length)];
                    default -> file = Arrays.copyOf(file, at + random.nextInt(2) * (file.length - at));
                }
            }
            read += readOrRefuse(file, "round " + round) ? 1 : 0;
        }
        assertTrue(read > ROUNDS / 50 && read < ROUNDS, read + " were read");
    }

    @Test
    void noiseIsReadOrRefused() {
        var random = new Random(1);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] noise = new byte[random.nextInt(64)];
            random.nextBytes(noise);
            readOrRefuse(noise, "noise " + round);
            if (noise.length > 8) {
                Arrays.fill(noise, 0, 8, (byte) 0);
                noise[0] = (byte) (noise.length - 8);
                for (int i = 8; i < noise.length; i++) {
                    noise[i] = PIECES[noise[i] & 15];
                }
                readOrRefuse(noise, "noise of JSON " + round);
            }
        }
    }

    private static boolean readOrRefuse(byte[] file, String what) {
        boolean isArray = file.length > 0 && file[0] == (byte) 0x93;
        try {
            if (isArray) {
                touch(Npy.read(file, "fuzz.file"));
            } else {
                SafeTensors.open(file, "fuzz.file").tensors().values().forEach(StorageFuzzTest::touch);
            }
            return true;
        } catch (InvalidInputException e) {
            assertTrue(e.getMessage().contains("fuzz.file"), () -> what + ": " + e.getMessage());
            return false;
        }
    }

    private static void touch(Tensor tensor) {
        long[] last = Arrays.stream(tensor.shape()).map(size -> size - 1).toArray();
        tensor.get(last);
        tensor.at(tensor.offset());
    }
}
