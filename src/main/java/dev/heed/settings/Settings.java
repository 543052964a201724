package dev.heed.settings;

import dev.heed.tuning.VectorSize;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The table of system properties. A property is read each time it is needed, so a value that a program sets applies from
 * then on.
 */
public final class Settings {
    private static final Pattern BYTES = Pattern.compile("([1-9][0-9]{0,17})([kKmMgG]?)");

    /** The backend of calls that do not name one. */
    public static final Setting<String> BACKEND = new Setting<>(
            "heed.backend",
            "a backend or auto",
            "`auto`",
            "the backend of calls that do not name one: `reference`, `scalar`, `vector`, `opencl`, or `auto` for the fastest that supports the problem",
            "vector",
            text -> text.isEmpty() ? Optional.empty() : Optional.of(text));

    /** Whether passing over a faster backend is an error. */
    public static final Setting<Boolean> STRICT = flag(
            "heed.strict",
            false,
            "`true`: throw, with all reasons, if the automatic choice would pass over a faster backend");

    /** Threads of the backends {@code scalar} and {@code vector}. */
    public static final Setting<Integer> THREADS = new Setting<>(
            "heed.threads",
            "a whole number, 1 or more",
            "all processors",
            "threads of the backends `scalar` and `vector`, including the caller's; 1 computes on the caller's thread",
            "1",
            text -> whole(text).filter(threads -> threads >= 1));

    /** Whether to compute with plain loops although the Vector API is present. */
    public static final Setting<Boolean> SCALAR = flag(
            "heed.scalar",
            false,
            "`true`: compute with plain loops although the Vector API is present; then `scalar` is ready and `vector` is not");

    /** The vector width in bits; 0 for the width of the machine. */
    public static final Setting<Integer> VECTOR_BITS = new Setting<>(
            "heed.vector.bits",
            "128, 256 or 512, or 0 for the machine's own",
            "the machine's",
            "the vector width in bits, for tests: 128, 256 or 512",
            "256",
            text -> whole(text).filter(List.of(0, 128, 256, 512)::contains));

    /** Sizes of the vector backend's tiles. */
    public static final Setting<Map<VectorSize, Integer>> VECTOR_TILES = new Setting<>(
            "heed.vector.tiles",
            "names and numbers of sizes: " + VectorSize.expected(),
            "depends on the processor",
            "sizes of the tiles of the vector backend, written as for `heed tune --backend vector --tiles`: `depth=384,rows=96`; no result depends on them",
            "depth=384,rows=96",
            VectorSize::parse);

    /** Whether native kernels may be used. */
    public static final Setting<Boolean> NATIVE = flag(
            "heed.native",
            true,
            "`false`: the vector backend does not use the [native kernels](../native/README.md) for bf16, f16 and i8");

    /** The library of native kernels. */
    public static final Setting<String> NATIVE_LIBRARY = new Setting<>(
            "heed.native.library",
            "the path of a library",
            "the one in the jar",
            "the path of a `libheed.so` that `native/build.sh` built",
            "FOLDER/libheed.so",
            text -> path(text).filter(path -> !text.isEmpty()).map(Path::toString));

    /** The OpenCL device: its number or a substring of its name. */
    public static final Setting<String> OPENCL_DEVICE = new Setting<>(
            "heed.opencl.device",
            "a number or a substring of a name",
            "the best",
            "the OpenCL device: its number in `heed devices` or a substring of its name",
            "0",
            Optional::of);

    /** The maximum number of bytes of device memory to use. */
    public static final Setting<Long> OPENCL_MEMORY = new Setting<>(
            "heed.opencl.memory",
            "bytes as a whole number above 0, or with K, M or G for powers of 1024",
            "all",
            "maximum bytes of device memory to use, for example `512M`",
            "512M",
            Settings::bytes);

    /** The family of OpenCL kernels: for GPUs, for CPU devices, or the emulation of matrix units. */
    public static final Setting<String> OPENCL_KERNELS = new Setting<>(
            "heed.opencl.kernels",
            "lanes, tiles or mma",
            "depends on the device",
            "`tiles`: the kernels for GPUs; `lanes`: the kernels for CPU devices; `mma`: an emulation of the kernels for matrix units",
            "tiles",
            text -> Optional.of(text).filter(List.of("lanes", "tiles", "mma")::contains));

    /** The tile sizes of the OpenCL kernels for GPUs. */
    public static final Setting<List<Integer>> OPENCL_TILES = new Setting<>(
            "heed.opencl.tiles",
            "five whole numbers above 0: items across, items down, rows, columns, depth",
            "depends on the device",
            "tile sizes of the OpenCL kernels for GPUs, written as for `heed tune --tiles`: `16,16,4,4,16`",
            "16,16,4,4,16",
            Settings::five);

    /** Whether a device runs a self-check when it opens. */
    public static final Setting<Boolean> OPENCL_SELFCHECK =
            flag("heed.opencl.selfcheck", true, "`false`: a device runs no self-check when it opens");

    /** Whether buffers are allocated between guard zones. */
    public static final Setting<Boolean> OPENCL_CANARIES = flag(
            "heed.opencl.canaries",
            false,
            "`true`: every buffer is between guard zones that no kernel may write, and each call checks them");

    /** Whether Heed calls OpenCL directly, without JOCL, if the JVM allows it. */
    public static final Setting<Boolean> OPENCL_DIRECT = flag(
            "heed.opencl.direct",
            true,
            "`false`: every OpenCL call goes through JOCL, as it does when the JVM denies Heed native access");

    /** Whether tensors in memory that a device shares with the host are used without a copy. */
    public static final Setting<Boolean> OPENCL_UNIFIED = flag(
            "heed.opencl.unified",
            true,
            "`false`: a device that shares the memory of the host is treated as one that does not");

    /** The folder for compiled OpenCL programs and measurements. */
    public static final Setting<String> CACHE = new Setting<>(
            "heed.cache",
            "a folder, or none",
            "`~/.cache/heed`",
            "the folder for compiled OpenCL programs and for the measurements of `heed tune` and `heed devices --probe`; `none`: nothing is stored",
            "none",
            text -> path(text).map(Path::toString));

    /** All properties, in the order of the table in docs/settings.md. */
    public static final List<Setting<?>> ALL = List.of(
            BACKEND,
            STRICT,
            THREADS,
            SCALAR,
            VECTOR_BITS,
            VECTOR_TILES,
            NATIVE,
            NATIVE_LIBRARY,
            OPENCL_DEVICE,
            OPENCL_MEMORY,
            OPENCL_KERNELS,
            OPENCL_TILES,
            OPENCL_SELFCHECK,
            OPENCL_CANARIES,
            OPENCL_DIRECT,
            OPENCL_UNIFIED,
            CACHE);

    private Settings() {}

    /**
     * Reads every property that is set.
     *
     * @throws dev.heed.tensor.InvalidInputException if a value cannot be read; the message has the name, the expected
     *     values and the value found
     */
    public static void check() {
        ALL.forEach(Setting::value);
    }

    /**
     * {@return {@code heed.cache}, else {@code $XDG_CACHE_HOME/heed}, else {@code ~/.cache/heed}} Empty if {@code heed.cache} is
     * empty or {@code none}, or if there is no home folder.
     */
    public static Optional<Path> cacheFolder() {
        Optional<String> asked = CACHE.value();
        if (asked.isPresent()) {
            return asked.filter(folder -> !folder.isEmpty() && !folder.equals("none"))
                    .map(Path::of);
        }
        try {
            String xdg = System.getenv("XDG_CACHE_HOME");
            if (xdg != null && !xdg.isEmpty() && Path.of(xdg).isAbsolute()) {
                return Optional.of(Path.of(xdg, "heed"));
            }
            String home = System.getProperty("user.home", "");
            return home.isEmpty() || !Path.of(home).isAbsolute()
                    ? Optional.empty()
                    : Optional.of(Path.of(home, ".cache", "heed"));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static Setting<Boolean> flag(String name, boolean otherwise, String meaning) {
        return new Setting<>(
                name,
                "true or false",
                "`" + otherwise + "`",
                meaning,
                String.valueOf(!otherwise),
                text -> switch (text) {
                    case "true" -> Optional.of(true);
                    case "false" -> Optional.of(false);
                    default -> Optional.empty();
                });
    }

    private static Optional<Integer> whole(String text) {
        return attempt(text, Integer::valueOf);
    }

    private static Optional<Path> path(String text) {
        try {
            return Optional.of(Path.of(text));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static Optional<Long> bytes(String text) {
        Matcher parts = BYTES.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        long unit = switch (parts.group(2)) {
            case "" -> 1;
            case "k", "K" -> 1L << 10;
            case "m", "M" -> 1L << 20;
            default -> 1L << 30;
        };
        long number = Long.parseLong(parts.group(1));
        return number > Long.MAX_VALUE / unit ? Optional.empty() : Optional.of(number * unit);
    }

    private static Optional<List<Integer>> five(String text) {
        return attempt(
                        text,
                        numbers -> Arrays.stream(numbers.split(",", -1))
                                .map(Integer::valueOf)
                                .toList())
                .filter(numbers -> numbers.size() == 5 && numbers.stream().allMatch(number -> number >= 1));
    }

    private static <T> Optional<T> attempt(String text, Function<String, T> reader) {
        try {
            return Optional.of(reader.apply(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
