package dev.heed.cli.console;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Standard output that stores the exception of a failed write; a {@link PrintStream} only reports that something failed. */
public final class StandardOutput extends OutputStream {
    private final OutputStream file;
    private @Nullable IOException failure;

    public StandardOutput(OutputStream file) {
        this.file = file;
    }

    /** {@return a new instance, to which {@code System.out} writes from now on, in the same encoding} */
    public static StandardOutput install() {
        var output = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        System.setOut(new PrintStream(output, true, System.out.charset()));
        return output;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        try {
            file.write(bytes, from, count);
        } catch (IOException e) {
            failure = failure == null ? e : failure;
            throw e;
        }
    }

    /**
     * {@return the reason of a failed write as a sentence; empty if no write failed or a reader such as {@code head}
     * closed the pipe}
     */
    public Optional<String> failure() {
        return Optional.ofNullable(failure)
                .map(e -> String.valueOf(e.getMessage()))
                .filter(reason -> !reason.toLowerCase(Locale.ROOT).contains("broken pipe"))
                .map(reason ->
                        "Standard output cannot be written: " + reason + ". HINT: send it to a file or disk with room");
    }
}
