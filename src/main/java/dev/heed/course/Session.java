package dev.heed.course;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import jdk.jshell.DeclarationSnippet;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;

/**
 * A JShell session that runs the code of one page, in a separate JVM with fixed settings. Its vectors have 128 bits, so
 * that the results are the same on every machine.
 */
final class Session implements AutoCloseable {
    /** The imports of every page. */
    static final List<String> IMPORTS = List.of(
            "java.nio.file.*",
            "java.util.*",
            "java.util.stream.*",
            "dev.heed.*",
            "dev.heed.backend.vector.*",
            "dev.heed.bert.*",
            "dev.heed.demo.*",
            "dev.heed.layer.*",
            "dev.heed.mask.*",
            "dev.heed.mechanism.*",
            "dev.heed.score.*",
            "dev.heed.tensor.*",
            "dev.heed.training.*",
            "dev.heed.view.*");

    static final List<String> FLAGS = List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Dheed.vector.bits=128",
            "-Dheed.backend=vector",
            "-Dheed.threads=2",
            "-Dai.djl.offline=true",
            "-DRUST_FLAVOR=cpu",
            "-Duser.language=en",
            "-Dstdout.encoding=UTF-8",
            "-Djava.awt.headless=true");

    private final JShell shell;
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final String page;

    /**
     * Starts a session for a page.
     *
     * @param page the name of the page in error messages
     * @param classPath the class path of the code
     * @param data the value of the variable {@code data}
     * @param figures the value of the variable {@code figures}
     */
    Session(String page, String classPath, Path data, Path figures) {
        this.page = page;
        var out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        this.shell = JShell.builder()
                .out(out)
                .err(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8))
                .remoteVMOptions(FLAGS.toArray(String[]::new))
                .build();
        shell.addToClasspath(classPath);
        startup(data, figures).forEach(this::run);
    }

    /**
     * {@return the code that runs before a page: imports, the locale, and the variables {@code data} and {@code figures}}
     */
    static List<String> startup(Path data, Path figures) {
        List<String> lines =
                IMPORTS.stream().map(name -> "import " + name + ";").collect(Collectors.toCollection(ArrayList::new));
        lines.add("java.util.Locale.setDefault(java.util.Locale.ROOT);");
        lines.add(definition("data", data));
        lines.add(definition("figures", figures));
        return lines;
    }

    private static String definition(String name, Path path) {
        return "Path " + name + " = Path.of(\""
                + path.toAbsolutePath().toString().replace("\\", "\\\\") + "\");";
    }

    /** {@return the output of the code, with a line break at the end unless it is empty} */
    String run(String code) {
        printed.reset();
        String rest = code;
        while (!rest.isBlank()) {
            SourceCodeAnalysis.CompletionInfo next = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            String source = next.source() == null ? rest : next.source();
            rest = next.remaining() == null ? "" : next.remaining();
            for (SnippetEvent event : shell.eval(source)) {
                refuse(event, source);
            }
        }
        String text = printed.toString(StandardCharsets.UTF_8)
                .lines()
                .map(String::stripTrailing)
                .collect(Collectors.joining("\n"))
                .strip();
        return text.isEmpty() ? "" : text + "\n";
    }

    /** {@return the value of an expression as text} */
    String value(String expression) {
        return run("System.out.println(" + expression + ");").strip();
    }

    private void refuse(SnippetEvent event, String source) {
        List<String> complaints = new ArrayList<>();
        if (event.exception() != null) {
            Throwable e = event.exception();
            complaints.add(e.getMessage() == null ? e.toString() : e.getMessage());
        }
        if (event.status() == Snippet.Status.REJECTED || event.status() == Snippet.Status.RECOVERABLE_NOT_DEFINED) {
            shell.diagnostics(event.snippet()).forEach(d -> complaints.add(d.getMessage(Locale.ROOT)));
            if (event.snippet() instanceof DeclarationSnippet declaration) {
                shell.unresolvedDependencies(declaration).forEach(complaints::add);
            }
        }
        if (!complaints.isEmpty()) {
            throw new IllegalStateException(
                    "The code of " + page + " does not run: " + String.join("; ", complaints) + "\n" + source.strip());
        }
    }

    @Override
    public void close() {
        shell.close();
    }
}
