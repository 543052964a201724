package dev.heed.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.heed.settings.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Loader of the native library built from {@code native/}. On first use it checks the library in the jar, copies it to a file
 * that only this user can read, loads it and deletes the file. If the library cannot be loaded, {@link #reasons} reports why, and
 * the Vector API is used instead.
 *
 * <p>{@code heed.native=false} turns the library off. {@code heed.native.library=FILE} loads a library built by
 * {@code native/build.sh} instead of the one in the jar.
 */
public final class NativeLibrary {
    /** The ABI version that this class requires; {@code HEED_ABI} in {@code native/heed.h}. */
    static final int ABI = 4;

    static final String RESOURCE = "libheed.so";

    private NativeLibrary() {}

    /** The result of loading: symbols, features, levels in use and refused levels; or the reasons why it failed. */
    record Loaded(@Nullable SymbolLookup symbols, long features, long levels, long refused, List<String> reasons) {
        static Loaded not(String reason) {
            return new Loaded(null, 0, 0, 0, List.of(reason));
        }

        /** Returns a message for each level whose kernels gave other results than plain C when the library was loaded. */
        List<String> refusals() {
            return NativeLevel.of(refused).stream()
                    .map(level -> level.label()
                            + " is not used: on this processor its kernels gave other results than plain C"
                            + " when they were loaded, so the next lower instructions are used: please report it, with"
                            + " the name of the processor")
                    .toList();
        }
    }

    private static final class Holder {
        static final Loaded LOADED = load(
                Settings.NATIVE.or(true),
                Settings.NATIVE_LIBRARY.or(""),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                Path.of(System.getProperty("java.io.tmpdir")));
    }

    static Loaded loaded() {
        return Holder.LOADED;
    }

    /** {@return the reasons why native kernels are not used in this process; empty if they are used} */
    public static List<String> reasons() {
        return loaded().reasons();
    }

    /** {@return whether the kernels of a feature can be used on this processor} */
    public static boolean has(NativeFeature feature) {
        return (loaded().features() & feature.bit) != 0;
    }

    /** {@return the labels of the usable features and of the levels in use; empty if there are none} */
    public static String describe() {
        String features = Arrays.stream(NativeFeature.values())
                .filter(NativeLibrary::has)
                .map(NativeFeature::label)
                .collect(Collectors.joining(", "));
        return features.isEmpty()
                ? ""
                : features
                        + NativeLevel.of(loaded().levels()).stream()
                                .map(NativeLevel::label)
                                .collect(Collectors.joining(", ", " by ", ""));
    }

    /**
     * {@return a message for each level that the processor has but that is not used, because its kernels gave other results than
     * plain C}
     */
    public static List<String> refusals() {
        return loaded().refusals();
    }

    static Loaded load(boolean wanted, String file, String system, Path folder) {
        if (!wanted) {
            return Loaded.not(Settings.NATIVE.to(false) + " turns the native kernels off: leave it out");
        }
        if (!file.isEmpty()) {
            Path library = Path.of(file);
            return Files.isReadable(library)
                    ? open(library.toAbsolutePath(), ABI)
                    : Loaded.not(
                            Settings.NATIVE_LIBRARY.to(file) + " cannot be read: native/build.sh FOLDER writes one");
        }
        if (!system.toLowerCase(Locale.ROOT).matches("linux (amd64|x86_64)")) {
            return Loaded.not("the jar has native kernels for Linux on x86-64 only, and this is " + system
                    + ": build them with native/build.sh FOLDER and set "
                    + Settings.NATIVE_LIBRARY.to("FOLDER/" + RESOURCE));
        }
        byte[] library = resource(RESOURCE);
        byte[] sum = resource(RESOURCE + ".sha256");
        if (library == null || sum == null) {
            return Loaded.not("this build of Heed has no native kernels: build it with a C compiler installed, or run"
                    + " native/build.sh FOLDER and set " + Settings.NATIVE_LIBRARY.to("FOLDER/" + RESOURCE));
        }
        return unpack(library, new String(sum, StandardCharsets.US_ASCII).strip(), folder, ABI);
    }

    static byte @Nullable [] resource(String name) {
        try (InputStream in = NativeLibrary.class.getResourceAsStream(name)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            return null; // an unreadable jar is treated as a jar without the resource
        }
    }

    /** Checks a library's SHA-256, copies it to a private file in a folder, loads it and deletes the file. */
    static Loaded unpack(byte[] library, String sum, Path folder, int expected) {
        return unpack(library, sum, folder, expected, Files::isExecutable);
    }

    static Loaded unpack(byte[] library, String sum, Path folder, int expected, Predicate<Path> executable) {
        String found = sha256(library);
        if (!found.equals(sum)) {
            return Loaded.not("the native kernels in the jar are damaged: expected SHA-256 " + sum + ", got " + found
                    + ": get a new copy of the jar");
        }
        Path own = null;
        try {
            own = Files.createTempDirectory(folder, "heed-"); // only its owner can read, write or search it
            Path file = Files.write(own.resolve(RESOURCE), library);
            if (!sha256(Files.readAllBytes(file)).equals(sum)) {
                return Loaded.not("the native kernels cannot be copied completely to " + folder + ": is it full?");
            }
            boolean ignored = file.toFile().setExecutable(true, true);
            if (!executable.test(file)) {
                return Loaded.not("files in " + folder + " cannot be executed (mounted noexec): choose another folder,"
                        + " -Djava.io.tmpdir=FOLDER");
            }
            return open(file, expected);
        } catch (IOException | SecurityException e) {
            return Loaded.not("the native kernels cannot be copied to " + folder + " (" + e
                    + "): choose a folder that can be written, -Djava.io.tmpdir=FOLDER");
        } finally {
            delete(own);
        }
    }

    private static void delete(@Nullable Path own) {
        if (own == null) {
            return;
        }
        try {
            Files.deleteIfExists(own.resolve(RESOURCE)); // the loaded library stays loaded
            Files.deleteIfExists(own);
        } catch (IOException e) {
            own.toFile().deleteOnExit();
        }
    }

    @SuppressWarnings("restricted") // if the JVM denies native access, the exception becomes a reason
    private static Loaded open(Path file, int expected) {
        try {
            SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
            MemorySegment version = symbols.find("heed_abi").orElse(MemorySegment.NULL);
            if (version.address() == 0) {
                return Loaded.not(file + " is not a library of Heed's kernels: native/build.sh FOLDER writes one");
            }
            Linker linker = Linker.nativeLinker();
            int abi = (int) linker.downcallHandle(version, FunctionDescriptor.of(JAVA_INT))
                    .invokeExact();
            if (abi != expected) {
                return Loaded.not("the native kernels have ABI " + abi + ", expected " + expected
                        + ": rebuild them with" + " native/build.sh FOLDER");
            }
            long features = bits(linker, symbols, "heed_features");
            var loaded = new Loaded(
                    symbols,
                    features,
                    bits(linker, symbols, "heed_levels"),
                    bits(linker, symbols, "heed_refused"),
                    List.of());
            return features == 0 ? useless(loaded.refusals()) : loaded;
        } catch (NoSuchElementException e) {
            return Loaded.not(file + " is not a library of Heed's kernels, because it lacks " + e.getMessage()
                    + ": native/build.sh FOLDER writes one");
        } catch (IllegalCallerException e) {
            return Loaded.not("the JVM denies native access to Heed: start java with --enable-native-access="
                    + (NativeLibrary.class.getModule().isNamed() ? "dev.heed" : "ALL-UNNAMED"));
        } catch (IllegalArgumentException e) {
            return Loaded.not("the system cannot load " + file + ": " + e.getMessage());
        } catch (Throwable e) {
            return Loaded.not("the JDK's linker does not work here: " + e);
        }
    }

    private static Loaded useless(List<String> refusals) {
        return refusals.isEmpty()
                ? Loaded.not("the processor has none of the instructions that the native kernels use ("
                        + Arrays.stream(NativeLevel.values())
                                .map(NativeLevel::label)
                                .collect(Collectors.joining(", "))
                        + ")")
                : new Loaded(null, 0, 0, 0, refusals);
    }

    @SuppressWarnings("restricted")
    private static long bits(Linker linker, SymbolLookup symbols, String function) throws Throwable {
        MemorySegment address = symbols.find(function).orElseThrow(() -> new NoSuchElementException(function));
        return (long)
                linker.downcallHandle(address, FunctionDescriptor.of(JAVA_LONG)).invokeExact();
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
