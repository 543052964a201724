package dev.heed.cli.console;

import java.io.PrintWriter;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A progress bar on one line of a terminal, redrawn at every step and erased at the end. */
public final class Progress implements AutoCloseable {
    private static final int WIDTH = 79;

    private final @Nullable ProgressBar bar;
    private final @Nullable PrintWriter err;

    private Progress(@Nullable ProgressBar bar, @Nullable PrintWriter err) {
        this.bar = bar;
        this.err = err;
    }

    static Progress silent() {
        return new Progress(null, null);
    }

    static Progress shown(PrintWriter err, String task, long steps) {
        var bar = new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(200)
                // With a consumer, the library neither queries nor changes the terminal.
                .setConsumer(new DelegatingProgressBarConsumer(line -> draw(err, line), WIDTH))
                .build();
        return new Progress(bar, err);
    }

    private static void draw(PrintWriter err, String line) {
        err.print("\r" + line);
        err.flush();
    }

    public void step() {
        if (bar != null) {
            bar.step();
        }
    }

    @Override
    public void close() {
        if (bar != null && err != null) {
            bar.close();
            draw(err, " ".repeat(WIDTH) + "\r");
        }
    }
}
