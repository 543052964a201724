package dev.heed.course;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import jdk.jshell.tool.JavaShellToolBuilder;

/**
 * The JDK's interactive shell, set up for the code of the pages: with Heed on the class path, the flags and imports of
 * {@link Course}, and the variables {@code data} and {@code figures}. Nothing is stored in the user's home directory.
 */
public final class Shell {
    private final String classPath;
    private final Path data;
    private final Path figures;

    /**
     * Creates a shell.
     *
     * @param classPath the class path of the code
     * @param data the value of the variable {@code data}
     * @param figures the value of the variable {@code figures}
     */
    public Shell(String classPath, Path data, Path figures) {
        this.classPath = classPath;
        this.data = data;
        this.figures = figures;
    }

    /**
     * Runs the shell until its input ends or contains {@code /exit}.
     *
     * @param code code to run before the first prompt
     * @param jvmOptions additional options of the JVM that runs the code; they come last, so they override the default
     *     flags
     * @param arguments additional arguments of the shell, such as {@code -s} for errors only, {@code -} for input that
     *     is not interactive
     * @return the argument of {@code /exit}, or else 0
     */
    public int start(
            InputStream in,
            PrintStream out,
            PrintStream err,
            List<String> code,
            List<String> jvmOptions,
            String... arguments) {
        try {
            Path folder = Files.createTempDirectory("heed-jshell");
            try {
                List<String> all = new ArrayList<>(List.of("--class-path", classPath));
                Session.FLAGS.forEach(flag -> all.add("-R" + flag));
                jvmOptions.forEach(option -> all.add("-R" + option));
                all.add("--startup");
                all.add(Files.writeString(folder.resolve("startup"), String.join("\n", Session.startup(data, figures)))
                        .toString());
                if (!code.isEmpty()) {
                    all.add(Files.writeString(folder.resolve("page"), String.join("\n", code))
                            .toString());
                }
                all.addAll(List.of(arguments));
                return JavaShellToolBuilder.builder()
                        .in(in, null)
                        .out(out)
                        .err(err)
                        .persistence(new HashMap<>())
                        .start(all.toArray(String[]::new));
            } finally {
                Course.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("the JDK's shell does not start: " + e.getMessage(), e);
        }
    }
}
