package dev.heed.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.backend.vector.VectorBackend;
import dev.heed.demo.DateTranslator.Size;
import dev.heed.storage.SafeTensors;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests of the translator at a small size; the continuous integration measures the accuracy at the full size. */
@Tag("slow")
class DateTranslatorTest {
    private static final Size SMALL = new Size(8, 8, 4, 0.01);
    private static final List<String> TEXTS = List.of("14 juillet 1989", "Sunday, November 22, 2026");

    private final VectorBackend backend = new VectorBackend(1);

    @TempDir
    Path folder;

    private static Map<String, float[]> trained(
            DateTranslator translator, VectorBackend backend, int threads, Path file) throws IOException {
        translator.train(backend, threads, 11, step -> {});
        translator.save(file);
        Map<String, float[]> numbers = new LinkedHashMap<>();
        SafeTensors.read(file).forEach((name, tensor) -> numbers.put(name, tensor.toFloatArray()));
        return numbers;
    }

    @Test
    void trainingRepeatsBitForBitForOneThreadAndTwo() throws IOException {
        var kind = AttentionKind.BAHDANAU;
        var once = trained(new DateTranslator(kind, SMALL, 5), backend, 1, folder.resolve("a"));
        var again = trained(new DateTranslator(kind, SMALL, 5), backend, 2, folder.resolve("b"));
        assertEquals(once.keySet(), again.keySet());
        once.forEach((name, numbers) -> assertArrayEquals(numbers, again.get(name), name));
    }

    @ParameterizedTest
    @EnumSource
    void everyAttentionTrainsEveryParameter(AttentionKind kind) throws IOException {
        var translator = new DateTranslator(kind, SMALL, 5);
        Path before = folder.resolve("before");
        translator.save(before);
        Map<String, Tensor> first = SafeTensors.read(before);
        trained(translator, backend, 2, folder.resolve("after")).forEach((name, numbers) -> {
            Tensor old = Objects.requireNonNull(first.get(name));
            assertTrue(!Arrays.equals(old.toFloatArray(), numbers), name + " did not move");
        });
        var answer = translator.translate(backend, TEXTS).getLast();
        assertEquals(10, answer.iso().length());
        double[][] weights = answer.weights();
        assertEquals(kind == AttentionKind.NONE, weights == null);
        if (weights != null) {
            for (double[] row : weights) {
                assertEquals(TEXTS.getLast().length(), row.length);
                double sum = Arrays.stream(row).sum();
                // local-p multiplies the weights by a Gaussian and does not normalise them again
                assertTrue(kind == AttentionKind.LOCAL_P ? sum <= 1 : Math.abs(sum - 1) < 1e-5, "sum " + sum);
            }
        }
    }

    @Test
    void whatWasSavedIsLoaded() throws IOException {
        var translator = new DateTranslator(AttentionKind.GENERAL, SMALL, 6);
        translator.train(backend, 1, 6, step -> {});
        Path file = folder.resolve("dates.safetensors");
        translator.save(file);
        var loaded = DateTranslator.load(file);
        assertEquals(AttentionKind.GENERAL, loaded.kind());
        var expected = translator.translate(backend, TEXTS).getFirst();
        var actual = loaded.translate(backend, TEXTS).getFirst();
        assertEquals(expected.iso(), actual.iso());
        assertArrayEquals(expected.weights(), actual.weights());
    }

    @Test
    void foreignFilesAndEmptyTextsAreRefused() throws IOException {
        Path file = folder.resolve("other.safetensors");
        SafeTensors.write(file, Map.of("w", Tensor.of(new float[] {1}, 1)));
        assertThrows(InvalidInputException.class, () -> DateTranslator.load(file));
        var translator = new DateTranslator(AttentionKind.NONE, SMALL, 6);
        assertThrows(InvalidInputException.class, () -> translator.translate(backend, List.of("")));
        assertThrows(InvalidInputException.class, () -> translator.translate(backend, List.of("x".repeat(65))));
        assertEquals(
                1, translator.translate(backend, List.of("\u2603?")).size(), "unknown characters must be accepted");
    }
}
