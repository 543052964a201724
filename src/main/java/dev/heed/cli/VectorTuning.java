package dev.heed.cli;

import dev.heed.AttentionProblem;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.backend.vector.kernels.MeasuredTiles;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.cli.console.CommandFailure;
import dev.heed.machine.Machine;
import dev.heed.settings.Setting;
import dev.heed.settings.Settings;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tuning.MeasuredTable;
import dev.heed.tuning.VectorSize;
import dev.heed.verify.Case;
import dev.heed.verify.TimedCase;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The sizes of the vector backend that change no result, see {@link VectorSize}. */
final class VectorTuning implements TuneTarget {
    private static final int ROUNDS = 3;
    private static final long WINDOW_NANOS = 500_000_000;
    private static final String EXPECTED = "an attention, mha or linear case in f32, f16 or bf16";

    private static final List<String> CANDIDATES = List.of(
            "vectors=4,tall=1",
            "vectors=4,tall=0",
            "vectors=2,tall=1",
            "vectors=2,tall=0",
            "depth=768,rows=192,fewestRows=24",
            "depth=384,rows=192,fewestRows=24",
            "depth=1536,rows=192,fewestRows=24",
            "depth=768,rows=96,fewestRows=24",
            "depth=768,rows=384,fewestRows=24",
            "depth=768,rows=192,fewestRows=48",
            "panels=4",
            "panels=8",
            "panels=16",
            "panels=32");

    private static final List<String> CASES = List.of(
            "q2x8x1024x64 kv8x1024 f32",
            "q2x8x1024x64 kv8x1024 f32 mask=causal:br",
            "q2x8x1024x128 kv8x1024 f32",
            "q2x8x1024x128 kv8x1024 f32 mask=causal:br",
            "linear 1024x768x3072 f32",
            "linear 64x768x768 f32",
            "mha in=768x768x768 out=768 biases=qkvo q1x12x512x64 kv12x512 f32");

    /** Requires a vector backend that can compute in this process. */
    VectorTuning() {
        try (var backend = new VectorBackend()) {
            List<String> reasons = backend.notReadyReasons();
            if (!reasons.isEmpty()) {
                throw new CommandFailure("The vector backend is not ready, so it cannot be tuned: "
                        + String.join("; ", reasons) + ". HINT: heed devices");
            }
        }
    }

    @Override
    public String backend() {
        return "vector";
    }

    @Override
    public String describe() {
        return "machine  " + Machine.current().describe() + ", "
                + Machine.processor().orElse("a processor that the system does not name");
    }

    @Override
    public int rounds() {
        return ROUNDS;
    }

    /** {@return blocks, measured with all cases; sizes of products; and sizes of prefill for each headDim} */
    @Override
    public List<TuneSubject> subjects(List<String> cases, List<String> candidates) {
        List<String> all = cases.isEmpty() ? CASES : cases;
        List<String> products = new ArrayList<>();
        Map<Long, List<String>> prefill = new TreeMap<>();
        for (String text : all) {
            Problem problem = Case.parse(text).problem();
            if (typeOf(text, problem) == DType.F64) {
                throw TuneSubject.withoutTiles(text, EXPECTED);
            }
            if (problem instanceof AttentionProblem p) {
                prefill.computeIfAbsent(p.shape().headDim(), width -> new ArrayList<>())
                        .add(text);
            } else {
                products.add(text);
            }
        }
        candidates.forEach(VectorTuning::tableOf);
        List<TuneSubject> subjects = new ArrayList<>();
        subjects.add(subject("blocks of matrix products", MeasuredTable.VECTOR_BLOCK, "|\t", all, candidates, 0));
        subjects.add(subject("matrix products", MeasuredTable.VECTOR_GEMM, "|\t", products, candidates, 0));
        prefill.forEach((width, texts) -> subjects.add(subject(
                "prefill, width <=" + width,
                MeasuredTable.VECTOR_PREFILL,
                "<=" + width + "\t|\t",
                texts,
                candidates,
                width)));
        subjects.removeIf(
                subject -> subject.cases().isEmpty() || subject.candidates().isEmpty());
        return subjects;
    }

    private static DType typeOf(String text, Problem problem) {
        return switch (problem) {
            case AttentionProblem p -> p.type();
            case LinearProblem p -> p.type();
            case MultiHeadProblem p -> p.attention().type();
            default -> throw TuneSubject.withoutTiles(text, EXPECTED);
        };
    }

    /** {@return the subject with the candidates of its table; default candidates that are the current sizes are left out} */
    private static TuneSubject subject(
            String title, MeasuredTable table, String keys, List<String> cases, List<String> candidates, long width) {
        String current = text(complete(table, Map.of(), width));
        List<String> own = (candidates.isEmpty() ? CANDIDATES : candidates)
                .stream()
                        .filter(candidate -> tableOf(candidate) == table)
                        .map(candidate -> text(complete(table, parse(candidate), width)))
                        .filter(candidate -> !candidates.isEmpty() || !candidate.equals(current))
                        .distinct()
                        .toList();
        return new TuneSubject(title + ", now " + current, table, keys, cases, own);
    }

    /** {@return the table of a candidate, whose sizes must all be in one table} */
    private static MeasuredTable tableOf(String candidate) {
        Set<MeasuredTable> tables =
                parse(candidate).keySet().stream().map(VectorSize::table).collect(Collectors.toSet());
        if (tables.size() != 1) {
            throw new InvalidInputException(
                    "These sizes are not measured together",
                    "panels; or depth, rows, fewestRows; or vectors, tall",
                    candidate,
                    "--tiles panels=8 --tiles depth=384,rows=96");
        }
        return tables.iterator().next();
    }

    private static Map<VectorSize, Integer> parse(String candidate) {
        return VectorSize.parse(candidate)
                .orElseThrow(() -> new InvalidInputException(
                        "These sizes cannot be tuned",
                        VectorSize.expected(),
                        candidate,
                        "heed tune --backend vector --tiles depth=384,rows=96"));
    }

    /** {@return all sizes of a table: the given ones, and the current ones of this process for the others} */
    private static Map<VectorSize, Integer> complete(MeasuredTable table, Map<VectorSize, Integer> given, long width) {
        Map<VectorSize, Integer> all = new EnumMap<>(VectorSize.class);
        VectorSize.of(table).forEach(size -> all.put(size, Tiles.current(size, width)));
        all.putAll(given);
        return all;
    }

    private static String text(Map<VectorSize, Integer> sizes) {
        return sizes.entrySet().stream()
                .map(entry -> entry.getKey().column() + "=" + entry.getValue())
                .collect(Collectors.joining(","));
    }

    /** {@return the settings and {@code -XX} options of this process, with the sizes of the candidate} */
    @Override
    public List<String> properties(@Nullable String candidate) {
        Map<VectorSize, Integer> sizes = new EnumMap<>(VectorSize.class);
        sizes.putAll(Settings.VECTOR_TILES.or(Map.of()));
        sizes.putAll(candidate == null ? Map.of() : parse(candidate));
        return Stream.of(
                        Stream.of(ProcessHandle.current().info().arguments().orElse(new String[0]))
                                .filter(option -> option.startsWith("-XX:")),
                        Settings.ALL.stream()
                                .map(Setting::name)
                                .filter(name -> System.getProperty(name) != null)
                                .map(name -> "-D" + name + "=" + System.getProperty(name)),
                        Stream.of(text(sizes)).filter(text -> !text.isEmpty()).map(Settings.VECTOR_TILES::to))
                .flatMap(options -> options)
                .toList();
    }

    @Override
    public Tried attempt(Case timed) {
        try (var backend = new VectorBackend()) {
            Verdict verdict = new Verifier(backend).check(Case.parse(TuneSubject.raggedCase(timed)));
            if (verdict.status() != Verdict.Status.PASS) {
                return new Tried(Double.NaN, 0, verdict.message());
            }
            TimedCase result = TimedCase.of(backend, timed, WINDOW_NANOS);
            return new Tried(result.seconds(), result.bits(), "");
        }
    }

    @Override
    public String row(TuneSubject subject, String candidate) {
        return subject.keys()
                + parse(candidate).values().stream().map(String::valueOf).collect(Collectors.joining("\t"));
    }

    @Override
    public Path store(TuneSubject subject, String row) throws IOException {
        if (Machine.processor().isEmpty()) {
            throw new IOException("the system does not name the processor, and another one may use the same folder");
        }
        return MeasuredTiles.tables().write(subject.table(), List.of(row));
    }

    @Override
    public List<String> forTheJar(List<String> rows) {
        return List.of();
    }
}
