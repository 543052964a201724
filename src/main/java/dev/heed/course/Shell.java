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
 * The JDK's interactive shell with everything that the code of the pages needs: Heed on the class path, the flags and imports
 * that {@link Course} runs a page with, and the variables {@code data} and {@code figures}. Nothing is kept in the user's home.
 */
public final class Shell {
    private final String classPath;
    private final Path data;
    private final Path figures;

    /**
     * A shell.
     *
     * @param classPath what the code may use
     * @param data the directory that the variable {@code data} names
     * @param figures the directory that the variable {@code figures} names
     */
    public Shell(String classPath, Path data, Path figures) {
        this.classPath = classPath;
        this.data = data;
        this.figures = figures;
    }

    /**
     * Runs the shell until its input ends or says {@code /exit}.
     *
     * @param code what is run before the first prompt
     * @param jvmOptions more options of the JVM that runs the code; they come last, so they win
     * @param arguments more arguments of the shell: {@code -s} for errors only, {@code -} for input that nobody types
     * @return the number that {@code /exit} was given, or else 0
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
