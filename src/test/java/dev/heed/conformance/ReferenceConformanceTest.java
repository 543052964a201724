package dev.heed.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.AttentionBackend;
import dev.heed.backend.reference.ReferenceBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class ReferenceConformanceTest extends ConformanceContract {
    @TempDir
    Path copies;

    @Override
    protected AttentionBackend backend() {
        return new ReferenceBackend();
    }

    /** A change of one element in any output of any case is detected: every output is compared. */
    @TestFactory
    Stream<DynamicTest> noOutputGoesUnseen() {
        return ConformanceSuite.of(data()).cases().stream()
                .filter(OnnxCase.class::isInstance)
                .filter(ConformanceContract::isCovered)
                .map(item -> DynamicTest.dynamicTest(item.name(), () -> alterEachOutput((OnnxCase) item)));
    }

    private void alterEachOutput(OnnxCase original) throws IOException {
        OnnxCase copy = new OnnxCase(original.name(), copies.resolve(original.name()));
        int altered = 0;
        try (Stream<Path> files = Files.walk(original.directory())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = copy.directory()
                        .resolve(original.directory().relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.write(target, Files.readAllBytes(file));
            }
        }
        try (Stream<Path> files = Files.walk(copy.directory())) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith("output_"))
                    .toList()) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length - 1] ^= 0x40; // an exponent bit of the last element, which is at the end of the file
                Files.write(file, bytes);
                Outcome outcome = copy.run(backend());
                assertEquals(Outcome.Status.FAIL, outcome.status(), file + ": " + outcome.line());
                bytes[bytes.length - 1] ^= 0x40;
                Files.write(file, bytes);
                altered++;
            }
        }
        assertEquals(Outcome.Status.PASS, copy.run(backend()).status());
        assertEquals(true, altered > 0, "no outputs in " + original.directory());
    }
}
