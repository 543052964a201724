package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * All test cases under a directory: ONNX node tests ({@code model.onnx} next to {@code test_data_set_<n>}) and files of
 * classic test vectors. The data are not part of Heed; any directory in these layouts works.
 *
 * <pre>{@code
 * ConformanceSuite.of(Path.of("onnx/backend/test/data/node")).run(backend, outcome -> System.out.println(outcome.line()));
 * }</pre>
 */
public final class ConformanceSuite {
    private static final int DEEPEST = 5;

    private final List<ConformanceCase> cases;

    private ConformanceSuite(List<ConformanceCase> cases) {
        this.cases = List.copyOf(cases);
    }

    /**
     * {@return the cases in a directory and its subdirectories, first ONNX cases by name, then test vectors in the
     * order of their files}
     *
     * @param directory a directory that is one case, or that contains cases in up to 5 levels of subdirectories
     * @throws InvalidInputException if {@code directory} is not a directory, cannot be read, or contains no cases
     */
    public static ConformanceSuite of(Path directory) {
        List<ConformanceCase> onnx = new ArrayList<>();
        List<ConformanceCase> vectors = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            throw new InvalidInputException(
                    "There is no such directory",
                    "a directory of conformance cases",
                    directory.toString(),
                    "check the path");
        }
        try {
            Path root = directory.toRealPath();
            collect(root, root, 0, onnx, vectors);
        } catch (IOException e) {
            throw new InvalidInputException(
                    "The directory cannot be read", "a readable directory", e.toString(), "check its permissions");
        }
        onnx.sort(Comparator.comparing(ConformanceCase::name));
        onnx.addAll(vectors);
        if (onnx.isEmpty()) {
            throw new InvalidInputException(
                    "The directory has no conformance cases",
                    "directories with " + OnnxCase.MODEL + " and " + OnnxCase.DATA_SET + "0, or a file "
                            + ClassicVectors.FILE,
                    directory.toString(),
                    "point at onnx/backend/test/data/node of an ONNX checkout");
        }
        return new ConformanceSuite(onnx);
    }

    private static void collect(
            Path root, Path directory, int depth, List<ConformanceCase> onnx, List<ConformanceCase> vectors)
            throws IOException {
        List<Path> entries;
        try (Stream<Path> list = Files.list(directory)) {
            entries = list.filter(entry -> !fileName(entry).startsWith("."))
                    .sorted()
                    .toList();
        }
        boolean isCase = entries.stream()
                .anyMatch(entry -> fileName(entry).equals(OnnxCase.MODEL)
                        || fileName(entry).startsWith(OnnxCase.DATA_SET));
        if (isCase) {
            String name = directory.equals(root)
                    ? fileName(root)
                    : root.relativize(directory).toString().replace('\\', '/');
            onnx.add(new OnnxCase(name, directory));
            return;
        }
        for (Path entry : entries) {
            if (Files.isDirectory(entry) && depth < DEEPEST) {
                collect(root, entry, depth + 1, onnx, vectors);
            } else if (Files.isRegularFile(entry) && ClassicVectors.is(entry)) {
                vectors.addAll(ClassicVectors.read(entry));
            }
        }
    }

    private static String fileName(Path path) {
        return String.valueOf(path.getFileName());
    }

    /** {@return the cases, in the order in which they run} */
    public List<ConformanceCase> cases() {
        return cases;
    }

    /**
     * Runs all cases sequentially.
     *
     * @param backend the backend under test
     * @param sink receives the outcome of each case when it ends
     */
    public void run(AttentionBackend backend, Consumer<Outcome> sink) {
        cases.forEach(item -> sink.accept(item.run(backend)));
    }
}
