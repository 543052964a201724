package dev.heed.cli.console;

import dev.heed.UnsupportedAttentionException;
import dev.heed.tensor.InvalidInputException;
import dev.heed.view.text.VisibleText;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** A report of an exception on exactly one line, and its exit code. */
public final class ErrorLine {
    private ErrorLine() {}

    /** {@return the exit code of an exception} Prints {@code error: ...}, with the stack trace if {@code trace}. */
    public static int report(PrintWriter err, Throwable e, boolean trace) {
        err.println("error: " + VisibleText.of(message(e)));
        if (trace) {
            e.printStackTrace(err);
        }
        err.flush();
        return e instanceof ParameterException || e instanceof InvalidInputException
                ? HeedCommand.MISUSED
                : HeedCommand.FAILED;
    }

    /**
     * {@return whether the stack trace is requested} The raw arguments are read because parsing the options may have
     * failed.
     */
    public static boolean wantsTrace(String[] args) {
        return Arrays.asList(args).contains("--debug");
    }

    private static String message(Throwable e) {
        return switch (e) {
            case InvalidInputException invalid -> invalid.oneLine();
            case ParameterException usage -> usage(usage);
            case CommandFailure failure -> String.valueOf(failure.getMessage());
            case UnsupportedAttentionException unsupported -> onOneLine(String.valueOf(unsupported.getMessage()));
            case UncheckedIOException wrapped -> file(Objects.requireNonNull(wrapped.getCause()));
            case IOException io -> file(io);
            case OutOfMemoryError full ->
                "out of memory (" + full.getMessage()
                        + "). HINT: a smaller case, or more heap by HEED_JAVA_OPTS=-Xmx8g";
            case LinkageError missing ->
                "a class is missing: " + missing.getMessage()
                        + ". HINT: the launcher ./heed puts all optional jars on the class path";
            default ->
                e.getClass().getSimpleName() + (e.getMessage() == null ? "" : ": " + e.getMessage())
                        + ". HINT: --debug prints the stack trace";
        };
    }

    private static String usage(ParameterException e) {
        var command = e.getCommandLine();
        List<String> similar = e instanceof UnmatchedArgumentException unmatched ? similar(unmatched) : List.of();
        String hint = similar.isEmpty()
                ? command.getCommandSpec().qualifiedName() + " --help"
                : similar.stream().collect(Collectors.joining(" or ", "did you mean ", "?"));
        return sentence(String.valueOf(e.getMessage())) + " HINT: " + hint;
    }

    /**
     * Returns at most two suggestions. Picocli suggests every name that shares a few letters with the argument; only
     * names with the same first letter are returned.
     */
    private static List<String> similar(UnmatchedArgumentException e) {
        String unknown = e.getUnmatched().getFirst();
        return e.getSuggestions().stream()
                .filter(name -> !unknown.isEmpty() && name.charAt(0) == unknown.charAt(0))
                .limit(2)
                .toList();
    }

    private static String sentence(String text) {
        return text.endsWith(".") ? text : text + ".";
    }

    /** {@return a description of an error on a file} */
    public static String file(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such file or directory: " + missing.getFile();
            case AccessDeniedException denied -> "permission denied: " + denied.getFile();
            case FileSystemException other when other.getReason() != null -> other.getReason() + ": " + other.getFile();
            default -> String.valueOf(e.getMessage());
        };
    }

    /**
     * {@return a text on one line: lines are joined by semicolons or blanks, and characters that could break the line
     * are escaped}
     */
    public static String onOneLine(String text) {
        String joined = text.lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .reduce(
                        "",
                        (whole, line) ->
                                whole.isEmpty() ? line : whole + (whole.matches("(?s).*[.:;,]") ? " " : "; ") + line);
        return VisibleText.of(joined.replaceAll("  +", " "));
    }
}
