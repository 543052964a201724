package dev.heed.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A runner of single benchmarks in separate processes, which writes the output of JMH to a log file and shows progress.
 */
final class Laboratory implements AutoCloseable {
    private static final Pattern EXCEPTION = Pattern.compile("(?m)^[a-z]+\\.[\\w.$]*(?:Exception|Error): .*");
    private static final Pattern CRASH = Pattern.compile("forked VM failed with exit code \\d+");
    private static final String CLEAR = "\r\033[K";

    private final boolean quick;
    private final int steps;
    private final PrintWriter progress;
    private final OutputStream log;
    private int step;

    /**
     * Opens a laboratory.
     *
     * @param steps the number of benchmarks that will run
     * @param progress the terminal for progress, or null
     * @param log the file for the output of JMH
     */
    Laboratory(boolean quick, int steps, PrintWriter progress, Path log) throws IOException {
        this.quick = quick;
        this.steps = steps;
        this.progress = progress;
        this.log = Files.newOutputStream(log);
    }

    /** {@return the secondary result {@code column} of a benchmark, run on {@code jmhThreads} threads of JMH} */
    Trial run(String title, String benchmark, String column, int jmhThreads, Map<String, String> parameters)
            throws IOException {
        step++;
        if (progress != null) {
            progress.print(CLEAR + "[" + step + "/" + steps + "] " + title);
            progress.flush();
        }
        String backend = parameters.getOrDefault("backend", "vector");
        var words = new ByteArrayOutputStream();
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + Pattern.quote(benchmark) + "$")
                .threads(jmhThreads)
                .forks(1)
                .shouldFailOnError(true);
        parameters.forEach(options::param);
        pace(options, backend, benchmark.startsWith(MiniLmBenchmark.class.getName()));
        try (var out = new PrintStream(words, false, StandardCharsets.UTF_8)) {
            Collection<RunResult> results = new Runner(
                            options.build(), OutputFormatFactory.createFormatInstance(out, VerboseMode.NORMAL))
                    .run();
            double[] values = results.stream()
                    .flatMap(result -> result.getAggregatedResult().getIterationResults().stream())
                    .mapToDouble(
                            result -> result.getSecondaryResults().get(column).getScore())
                    .toArray();
            return values.length == 0 ? new Trial(values, "no result") : new Trial(values, "");
        } catch (RunnerException e) {
            return new Trial(new double[0], reason(words.toString(StandardCharsets.UTF_8), e));
        } finally {
            log.write(words.toByteArray());
            log.flush();
            clear();
        }
    }

    /**
     * Sets warm-up and measurement times. JIT-compiled code gets a long warm-up; native code and the naive loops get a
     * short one. Many short iterations are better than a few long ones, because one of them is likely to run while
     * other processes are idle.
     */
    private void pace(ChainedOptionsBuilder options, String backend, boolean encoder) {
        boolean naive = backend.equals("naive");
        boolean jit = backend.equals("vector") || backend.startsWith("opencl"); // the host layer of OpenCL is Java
        int warmups = !jit ? 1 : encoder ? 12 : 4; // much of the code of an encoder runs rarely
        options.warmupIterations(warmups)
                .warmupTime(TimeValue.milliseconds(quick ? jit ? 550 : 200 : 700))
                .measurementIterations(naive ? 1 : quick ? 8 : 10)
                .measurementTime(TimeValue.milliseconds(quick ? 100 : 300));
    }

    private static String reason(String words, RunnerException e) {
        Matcher exception = EXCEPTION.matcher(words);
        if (exception.find()) {
            return exception.group();
        }
        Matcher crash = CRASH.matcher(words);
        return crash.find() ? crash.group() : String.valueOf(e.getMessage());
    }

    private void clear() {
        if (progress != null) {
            progress.print(CLEAR);
            progress.flush();
        }
    }

    @Override
    public void close() throws IOException {
        log.close();
    }
}
