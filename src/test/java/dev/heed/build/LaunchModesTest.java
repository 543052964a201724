package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Attention;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiles and runs a user's program against the classes of Heed with the JDK's tools, from the module path and from the
 * class path. By default no other jar is available, not even JOCL's. {@code -Dheed.jars=PATH} replaces the classes of this
 * build with jars of the library and of JOCL.
 */
@Tag("slow")
class LaunchModesTest {
    private static final String FLAG = "--add-modules=jdk.incubator.vector";
    private static final String VECTOR_WIDTH = "\\d+-bit";

    @TempDir
    Path dir;

    @Test
    void onTheModulePathTheVectorApiIsOnWithoutAnyFlag() throws Exception {
        source("hello/module-info.java", "module hello { requires dev.heed; }");
        hello();
        tool("javac", "-p", heed(), "-d", "out", "hello/module-info.java", "hello/hello/Main.java");

        String said = tool("java", "-p", heed() + File.pathSeparator + "out", "-m", "hello/hello.Main");

        assertMentionsVectorWidth(said);
    }

    @Test
    void onTheClassPathTheFlagTurnsTheVectorApiOn() throws Exception {
        compileForClassPath();
        assertMentionsVectorWidth(tool("java", FLAG, "-cp", heed() + File.pathSeparator + "out", "hello.Main"));
    }

    @Test
    void onTheClassPathWithoutTheFlagEverythingRunsAndTheFlagIsNamed() throws Exception {
        compileForClassPath();

        String said = tool("java", "-cp", heed() + File.pathSeparator + "out", "hello.Main");

        assertTrue(said.contains("--add-modules") && said.contains("jdk.incubator.vector"), said);
        assertFalse(said.matches("(?s).*" + VECTOR_WIDTH + ".*"), said);
    }

    @Test
    void aDispatchIsRecordedOnBothPathsWhenItIsAskedFor() throws Exception {
        source("hello/module-info.java", "module hello { requires dev.heed; }");
        hello();
        String both = heed() + File.pathSeparator + "out";
        tool("javac", "-p", heed(), "-d", "out", "hello/module-info.java", "hello/hello/Main.java");
        String record = "-XX:StartFlightRecording:filename=heed.jfr,+dev.heed.Dispatch#enabled=true";
        for (List<String> start : List.of(
                List.of(record, "-p", both, "-m", "hello/hello.Main"),
                List.of(record, FLAG, "-cp", both, "hello.Main"))) {
            tool("java", start.toArray(String[]::new));

            String events = tool("jfr", "print", "--events", "dev.heed.Dispatch", "heed.jfr");

            assertTrue(events.contains("operation = \"softmax forward\""), events);
            assertTrue(events.contains("problem = \"softmax 2x3 axis=1 f32\""), events);
        }
        tool("java", record.substring(0, record.indexOf(',')), FLAG, "-cp", both, "hello.Main");
        String quiet = tool("jfr", "print", "--events", "dev.heed.Dispatch", "heed.jfr");
        assertFalse(quiet.contains("dev.heed.Dispatch {"), quiet);
    }

    @Test
    void aRuntimeWithoutTheFlightRecorderComputesAsEver() throws Exception {
        compileForClassPath();
        String classPath = heed() + File.pathSeparator + "out";

        String said =
                tool("java", "--limit-modules=java.base,jdk.incubator.vector", FLAG, "-cp", classPath, "hello.Main");

        assertTrue(said.contains("recorder false, softmax f32 [2, 3]"), said);
        assertMentionsVectorWidth(said);
    }

    /** PNG needs the module java.desktop. A full JDK has it; here a runtime without it must draw SVG and name the module. */
    @Test
    void picturesAsPngSayWhichModuleTheyLack() throws Exception {
        source("hello/module-info.java", "module hello { requires dev.heed; }");
        source("hello/hello/Main.java", """
                package hello;

                public class Main {
                    public static void main(String[] args) {
                        var map = dev.heed.view.HeatMap.of(new double[][] {{0.25, 0.75}});
                        System.out.println(map.svg().length() > 500 ? "svg drawn" : "svg empty");
                        try {
                            System.out.println(map.png(1).length > 500 ? "png drawn" : "png empty");
                        } catch (UnsupportedOperationException e) {
                            System.out.println(e.getMessage());
                        }
                    }
                }
                """);
        String both = heed() + File.pathSeparator + "out";
        tool("javac", "-p", heed(), "-d", "out", "hello/module-info.java", "hello/hello/Main.java");

        String trimmed = "--limit-modules=java.base,jdk.incubator.vector,hello";
        String without = tool("java", trimmed, "-p", both, "-m", "hello/hello.Main");
        String with = tool("java", "-p", both, "-m", "hello/hello.Main");

        assertTrue(
                without.contains("svg drawn") && without.contains("HINT: jlink --add-modules java.desktop"), without);
        assertTrue(with.contains("svg drawn") && with.contains("png drawn"), with);
    }

    private void compileForClassPath() throws Exception {
        hello();
        tool("javac", "-cp", heed(), "-d", "out", "hello/hello/Main.java");
    }

    private void hello() throws IOException {
        source("hello/hello/Main.java", """
                package hello;

                public class Main {
                    public static void main(String[] args) {
                        try (var vector = new dev.heed.backend.vector.VectorBackend()) {
                            System.out.println(vector.devices() + " " + vector.notReadyReasons());
                        }
                        var input = dev.heed.tensor.Tensor.of(new float[6], 2, 3);
                        boolean recorder = ModuleLayer.boot().findModule("jdk.jfr").isPresent();
                        System.out.println("recorder " + recorder + ", softmax " + dev.heed.Attention.softmax(input, 1));
                    }
                }
                """);
    }

    private void source(String path, String text) throws IOException {
        Path file = dir.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static String heed() throws URISyntaxException {
        String jars = System.getProperty("heed.jars");
        if (jars != null) {
            return Arrays.stream(jars.split(File.pathSeparator))
                    .map(jar -> Path.of(jar).toAbsolutePath().toString())
                    .collect(Collectors.joining(File.pathSeparator));
        }
        return Path.of(Attention.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toString();
    }

    /** Runs a tool of this JDK in the test's folder and returns its output. If the tool fails, the message has the output. */
    private String tool(String name, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", name).toString());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true);
        for (String variable : List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "CLASSPATH")) {
            builder.environment().remove(variable);
        }
        Process process = builder.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), () -> command + " did not end");
        assertEquals(0, process.exitValue(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }

    private static void assertMentionsVectorWidth(String said) {
        assertTrue(said.matches("(?s).*" + VECTOR_WIDTH + ".*"), said);
    }
}
