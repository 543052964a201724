package dev.heed.cli;

import dev.heed.AttentionProblem;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.opencl.OpenClOptions;
import dev.heed.cli.console.CommandFailure;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.OpenCl;
import dev.heed.opencl.Selection;
import dev.heed.settings.Settings;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The tile sizes of the OpenCL kernels for GPUs: tx, ty, rm, rn and depth, see {@code opencl_tiles.tsv}. */
final class OpenClTuning implements TuneTarget {
    private static final int REPEATS = 5;

    private static final List<String> CANDIDATES = List.of(
            "16,16,4,4,16",
            "16,16,4,4,8",
            "16,16,4,4,32",
            "16,8,4,4,16",
            "8,8,4,4,16",
            "8,16,4,4,16",
            "8,8,8,8,8",
            "16,8,8,4,16",
            "16,16,8,4,16",
            "16,16,8,8,8",
            "16,16,2,4,16",
            "32,8,4,4,16",
            "8,8,2,2,8");

    private static final List<String> GPU_CASES = List.of(
            "q1x8x1024x64 kv8x1024 f32",
            "q1x8x1024x128 kv8x1024 f32",
            "q1x4x512x64 kv4x512 f32 backward",
            "q1x4x512x128 kv4x512 f32 backward",
            "q1x4x512x64 kv4x512 f32 weights",
            "linear 1024x768x768 f32");

    /** Default cases on a CPU, which computes forward passes and products without tiles. */
    private static final List<String> CPU_CASES =
            List.of("q1x4x256x64 kv4x256 f32 backward", "q1x4x256x64 kv4x256 f32 weights");

    private final @Nullable String deviceName;
    private final Device device;

    /** Selects the device by its index or a substring of its name; null selects the device of the settings. */
    OpenClTuning(@Nullable String deviceName) {
        this.deviceName = deviceName;
        Selection selection = OpenCl.selected(deviceName == null ? Settings.OPENCL_DEVICE.or("") : deviceName);
        this.device = selection
                .device()
                .orElseThrow(() -> new CommandFailure("There is no OpenCL device to tune: "
                        + String.join("; ", selection.reasons()) + ". HINT: heed devices"));
    }

    @Override
    public String backend() {
        return "opencl";
    }

    @Override
    public String describe() {
        return "device   " + device.describe();
    }

    @Override
    public int rounds() {
        return 1;
    }

    @Override
    public List<TuneSubject> subjects(List<String> cases, List<String> candidates) {
        boolean tiled = device.type() != DeviceType.CPU
                || Settings.OPENCL_KERNELS.value().equals(Optional.of("tiles"));
        return (cases.isEmpty() ? (tiled ? GPU_CASES : CPU_CASES) : cases)
                .stream()
                        .map(text -> subject(text, candidates.isEmpty() ? CANDIDATES : candidates))
                        .toList();
    }

    /** {@return the sizes of one phase up to a bound on headDim, or on the output size of a product} */
    private static TuneSubject subject(String text, List<String> candidates) {
        Case parsed = Case.parse(text);
        String phase = "product";
        long width;
        switch (parsed.problem()) {
            case AttentionProblem p -> {
                boolean optionalOutputs = !p.outputs().onlyOutputAndLse();
                phase = parsed.backward() ? "backward" : optionalOutputs ? "weights" : "prefill";
                width = p.shape().headDim();
            }
            case LinearProblem p -> width = p.out();
            case MultiHeadProblem p -> width = p.embedOut();
            default -> throw TuneSubject.withoutTiles(text, "an attention, mha or linear case");
        }
        return new TuneSubject(
                phase + ", width <=" + width,
                MeasuredTable.OPENCL_TILES,
                phase + "\t<=" + width + "\t|\t",
                List.of(text),
                candidates);
    }

    @Override
    public List<String> properties(@Nullable String candidate) {
        List<String> properties = new ArrayList<>();
        Settings.CACHE.value().ifPresent(cache -> properties.add(Settings.CACHE.to(cache)));
        if (deviceName != null) {
            properties.add(Settings.OPENCL_DEVICE.to(deviceName));
        }
        if (candidate != null) {
            properties.add(Settings.OPENCL_TILES.to(candidate));
        }
        return properties;
    }

    /** The small case is computed between guard zones. */
    @Override
    public Tried attempt(Case timed) {
        Case ragged = Case.parse(TuneSubject.raggedCase(timed));
        Verdict guarded = check(ragged, 1, OpenClOptions.DEFAULT.withGuardZones(true));
        boolean passed = guarded.status() == Verdict.Status.PASS;
        Verdict verdict = passed ? check(timed, REPEATS, OpenClOptions.DEFAULT) : guarded;
        return new Tried(
                verdict.medianNanos() * 1e-9, 0, verdict.status() == Verdict.Status.PASS ? "" : verdict.message());
    }

    private static Verdict check(Case asked, int repeats, OpenClOptions options) {
        try (var backend = new OpenClBackend(options)) {
            return new Verifier(backend).check(asked, repeats);
        }
    }

    @Override
    public String row(TuneSubject subject, String candidate) {
        return subject.keys() + candidate.replace(',', '\t');
    }

    @Override
    public Path store(TuneSubject subject, String row) throws IOException {
        return new DeviceTables(Settings.cacheFolder().orElse(null), device.name(), device.identity())
                .write(subject.table(), List.of(row));
    }

    @Override
    public List<String> forTheJar(List<String> rows) {
        String vendor = device.isNvidia() ? "NVIDIA" : device.vendor();
        List<String> lines = new ArrayList<>(List.of("rows for src/main/resources/tuning/opencl_tiles.tsv:"));
        rows.forEach(row -> lines.add(vendor + "\t" + device.type() + "\t" + row));
        return lines;
    }
}
