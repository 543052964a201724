package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.StandardOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("slow")
class MainTest {
    @Test
    void helpNamesAllCommands() {
        String help = Heed.run("--help").succeeded().out();
        for (String command :
                List.of("devices", "run", "verify", "conformance", "explain", "demo", "Examples:", "Exit codes")) {
            assertTrue(help.contains(command), help);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"devices", "run", "verify", "conformance", "explain", "demo", "jshell", "java"})
    void everyCommandExplainsItself(String command) {
        String help = Heed.run(command, "--help").succeeded().out();
        assertTrue(help.startsWith("Usage: heed " + command), help);
        assertTrue(help.contains("Examples:") && help.contains("  heed " + command), help);
        assertTrue(help.contains("--json") && help.contains("--debug"), help);
        assertTrue(help.lines().allMatch(line -> line.length() <= 100), help);
        assertEquals(help, Heed.run(command, "-h").out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "-V"})
    void version(String option) {
        String version = Heed.run(option).succeeded().out();
        assertTrue(version.matches("heed \\S.*\\RJava \\d+.*\\R"), version);
    }

    @Test
    void wrongUse() {
        Heed.run().failedWith(2, "a command is missing", "HINT: heed --help");
        Heed.run("devics").failedWith(2, "devics", "did you mean devices");
        Heed.run("frobnicate").failedWith(2, "frobnicate", "HINT: heed --help");
        Heed.run("").failedWith(2);
        Heed.run("--nope").failedWith(2, "--nope");
        Heed.run("devices", "--nope").failedWith(2, "--nope", "HINT: heed devices --help");
        Heed.run("devices", "extra").failedWith(2, "extra");
        Heed.run("devices", "a\nb\u001b[31m").failedWith(2, "a\\nb\\u001b[31m");
        Heed.run("run").failedWith(2, "CASE");
        Heed.run("conformance").failedWith(2, "DIR");
        Heed.run("explain").failedWith(2, "SENTENCE");
        Heed.run("run", "q1x1x2x2 kv1x2", "--seed").failedWith(2, "--seed");
        Heed.run("run", "q1x1x2x2 kv1x2", "--seed", "x").failedWith(2, "--seed", "'x'");
    }

    @Test
    void programsAndShellsThatCannotStartSayWhy() {
        Heed.run("java").failedWith(2, "FILE", "HINT: heed java --help");
        Heed.run("java", "nowhere/Hello.java").failedWith(2, "no such source file", "nowhere/Hello.java", "HINT: ");
        Heed.run("java", "pom.xml", "first", "-x").failedWith(1, "HINT: ./heed java pom.xml first -x");
        Heed.run("jshell", "99").failedWith(2, "no such page", "07-self-attention.md", "99", "HINT: heed jshell 07");
    }

    /** In the C locale, a JVM decodes bytes beyond ASCII as U+FFFD. */
    @Test
    void argumentsThatAreNoTextAreRefused() {
        Heed.run("explain", "Das ist sch\uFFFD\uFFFDn")
                .failedWith(2, "An argument cannot be read", "sch", "HINT: LC_ALL=C.UTF-8 heed");
        Heed.run("view", "w.npy", "--svg", "\uFFFD.svg").failedWith(2, "An argument cannot be read");
    }

    @Test
    void outputThatCannotBeWrittenIsRemembered() {
        for (String reason : List.of("No space left on device", "Broken pipe")) {
            var output = new StandardOutput(new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException(reason);
                }
            });
            var print = new PrintStream(output, true, StandardCharsets.UTF_8);
            print.println("something");
            print.println("and more");
            assertEquals(
                    !reason.equals("Broken pipe"),
                    output.failure().filter(said -> said.contains(reason)).isPresent());
        }
    }

    @Test
    void debugAddsTheStackTrace() {
        Heed plain = Heed.run("run", "nonsense");
        Heed debug = Heed.run("run", "nonsense", "--debug");
        assertEquals(2, debug.code());
        assertTrue(debug.err().startsWith(plain.err()), debug.err());
        assertTrue(debug.err().contains("\tat dev.heed."), debug.err());
        assertTrue(Heed.run("--debug", "frobnicate").err().contains("\tat "), "also if the options cannot be parsed");
    }

    @Test
    void helpIsColouredOnlyWhereItMayBe() {
        var terminal = new CliEnvironment(List.of(), Map.of("TERM", "xterm"), true, true, StandardCharsets.UTF_8);
        var noColor = new CliEnvironment(
                List.of(), Map.of("TERM", "xterm", "NO_COLOR", "1"), true, true, StandardCharsets.UTF_8);
        assertTrue(Heed.run(terminal, "--help").out().contains("\u001b["));
        assertFalse(Heed.run(noColor, "--help").out().contains("\u001b["));
        assertFalse(Heed.run("--help").out().contains("\u001b["));
    }
}
