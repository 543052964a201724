package dev.heed.cli;

import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * A writer of a bundle: a folder with a Java runtime, the jars, benchmarks, an OpenCL loader, scripts, a readme and the
 * licenses.
 */
final class Bundle {
    static final int STEPS = 5;

    private static final List<String> MODULES = List.of(
            "java.base",
            "java.logging",
            "java.management",
            "jdk.incubator.vector",
            "jdk.jfr",
            "jdk.management",
            "jdk.unsupported");

    /** Maximum bytes of a jar; only the model of {@code explain} and its tokenizer are larger. */
    private static final long LARGEST_JAR = 5_000_000;

    private static final List<String> JMH = List.of("jmh-core", "jopt-simple", "commons-math3");
    private static final String LOADER = "libOpenCL.so.1";
    private static final List<String> LIBRARY_FOLDERS =
            List.of("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib");
    private static final String LOADER_LICENSE = "/usr/share/doc/ocl-icd-libopencl1/copyright";
    private static final FileTime EPOCH = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));

    private final Path target;
    private final List<String> leftOut = new ArrayList<>();

    Bundle(Path target) {
        this.target = target;
    }

    /** {@return the contents that were left out, with the reasons} */
    List<String> leftOut() {
        return List.copyOf(leftOut);
    }

    void write(Runnable step) throws IOException {
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!system.equals("Linux amd64")) {
            throw new CommandFailure("A bundle is for x86-64 Linux and is made there; this is " + system);
        }
        Path loader = loader();
        Files.createDirectories(target);
        runtime();
        step.run();
        jars();
        step.run();
        benchmarks();
        step.run();
        opencl(loader);
        step.run();
        texts();
        step.run();
    }

    // ---------------------------------------------------------------- the Java runtime

    private void runtime() throws IOException {
        Path jlink = Path.of(System.getProperty("java.home"), "bin", "jlink");
        if (!Files.isExecutable(jlink)) {
            throw new CommandFailure("A bundle needs a JDK with jlink, got " + System.getProperty("java.home")
                    + ". HINT: HEED_JAVA_HOME=/path/to/jdk-25 heed bundle " + target);
        }
        run(List.of(
                jlink.toString(),
                "--add-modules",
                String.join(",", MODULES),
                "--strip-debug",
                "--no-header-files",
                "--no-man-pages",
                "--vm",
                "server",
                "--compress",
                "zip-9",
                "--output",
                target.resolve("runtime").toString()));
    }

    private static void run(List<String> command) throws IOException {
        Path log = Files.createTempFile("heed-bundle", ".log");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new CommandFailure(command.getFirst() + " did not end within five minutes");
            }
            if (process.exitValue() != 0) {
                throw new CommandFailure(command.getFirst() + " failed: "
                        + ErrorLine.onOneLine(Files.readString(log, StandardCharsets.ISO_8859_1)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted", e);
        } finally {
            Files.delete(log);
        }
    }

    // ---------------------------------------------------------------- jars

    private void jars() throws IOException {
        Path lib = Files.createDirectories(target.resolve("lib"));
        Path ours = ours();
        if (Files.isDirectory(ours)) {
            jar(ours, lib.resolve("heed.jar"), name -> true);
        } else {
            Files.copy(ours, lib.resolve("heed.jar"));
        }
        for (Path jar : classPath(System.getProperty("java.class.path", ""))) {
            if (!jar.equals(ours) && jar.toString().endsWith(".jar")) {
                if (Files.size(jar) > LARGEST_JAR) {
                    leftOut.add(jar.getFileName() + ", for heed explain: too large");
                } else {
                    Files.copy(jar, lib.resolve(jar.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    private static List<Path> classPath(String text) {
        return Stream.of(text.split(File.pathSeparator))
                .filter(entry -> !entry.isBlank())
                .map(entry -> Path.of(entry).toAbsolutePath().normalize())
                .filter(Files::exists)
                .toList();
    }

    private static Path ours() {
        try {
            return Path.of(Main.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toAbsolutePath()
                    .normalize();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("a class path entry is not a file", e);
        }
    }

    /** Writes a jar whose files are sorted by name and have one fixed time, so that the same classes give the same bytes. */
    private static void jar(Path folder, Path jar, Predicate<String> wanted) throws IOException {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.walk(folder)) {
            files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .filter(wanted)
                    .forEach(names::add);
        }
        try (OutputStream out = Files.newOutputStream(jar);
                var entries = new JarOutputStream(out)) {
            for (String name : names) {
                var entry = new JarEntry(name);
                entry.setLastModifiedTime(EPOCH);
                entries.putNextEntry(entry);
                Files.copy(folder.resolve(name), entries);
                entries.closeEntry();
            }
        }
    }

    // ---------------------------------------------------------------- benchmarks

    /**
     * Copies the benchmarks, which {@code ./bench} builds in the folder that contains Heed's classes or jar, without
     * the libraries that Heed is compared with.
     */
    private void benchmarks() throws IOException {
        Path build = Optional.ofNullable(ours().getParent()).orElse(ours());
        Path classes = build.resolve("benchmarks").resolve("classes");
        Path list = build.resolve("bench-classpath");
        if (!Files.exists(classes.resolve("META-INF/BenchmarkList")) || !Files.exists(list)) {
            leftOut.add("benchmarks: ./bench jmh -l builds them");
            return;
        }
        Path bench = Files.createDirectories(target.resolve("bench"));
        jar(
                classes,
                bench.resolve("benchmarks.jar"),
                name -> name.startsWith("dev/heed/bench/")
                        || name.equals("META-INF/BenchmarkList")
                        || name.equals("META-INF/CompilerHints"));
        for (Path jar : classPath(Files.readString(list).strip())) {
            if (JMH.stream().anyMatch(name -> jar.getFileName().toString().startsWith(name))) {
                Files.copy(jar, bench.resolve(jar.getFileName()));
            }
        }
    }

    // ---------------------------------------------------------------- OpenCL

    private static Path loader() {
        for (String folder : LIBRARY_FOLDERS) {
            Path file = Path.of(folder, LOADER);
            if (Files.exists(file)) {
                return file;
            }
        }
        throw new CommandFailure("A bundle needs an OpenCL loader, got no " + LOADER + " in "
                + String.join(", ", LIBRARY_FOLDERS) + ". HINT: apt install ocl-icd-libopencl1");
    }

    private void opencl(Path loader) throws IOException {
        Path folder = Files.createDirectories(target.resolve("native"));
        Files.copy(loader, folder.resolve(LOADER)); // copies the target of a link
        Path vendors = Files.createDirectories(target.resolve("vendors"));
        Files.writeString(vendors.resolve("nvidia.icd"), "libnvidia-opencl.so.1\n");
        if (Files.exists(Path.of(LOADER_LICENSE))) {
            Path licenses = Files.createDirectories(target.resolve("licenses"));
            Files.copy(Path.of(LOADER_LICENSE), licenses.resolve("ocl-icd.txt"));
        }
    }

    // ---------------------------------------------------------------- script and texts

    private void texts() throws IOException {
        resource("/bundle/run", target.resolve("run"));
        Files.setPosixFilePermissions(target.resolve("run"), PosixFilePermissions.fromString("rwxr-xr-x"));
        resource("/bundle/launch.sh", target.resolve("launch.sh"));
        resource("/bundle/README.txt", target.resolve("README.txt"));
        resource("/bundle/grid.tsv", target.resolve("grid.tsv"));
        resource("/bundle/torch_sdpa.py", target.resolve("torch_sdpa.py"));
        resource("/META-INF/LICENSE", target.resolve("LICENSE"));
    }

    private static void resource(String name, Path file) throws IOException {
        try (InputStream in = Bundle.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the jar has no " + name);
            }
            Files.copy(in, file);
        }
    }
}
