package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.Problem;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.Progress;
import dev.heed.cli.console.TextTable;
import dev.heed.mask.Mask;
import dev.heed.pooling.KernelPooling;
import dev.heed.pooling.SmoothingKernel;
import dev.heed.pooling.WidthTraining;
import dev.heed.tensor.Tensor;
import dev.heed.view.HeatMap;
import dev.heed.view.Plot;
import dev.heed.view.text.VisibleText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code heed demo pooling}: compares three kernel regressions; the third is trained. */
@Command(
        name = "pooling",
        description = {
            "Estimate y = x + sin(x) from 100 noisy points on [0, 10] by attention pooling: the average, a Gaussian of width"
                    + " 1, and a Gaussian whose width is trained by stochastic gradient descent.",
            "The test error is the mean squared distance from the curve at 100 points. The demo fails unless"
                    + " learned < Gaussian < average.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  heed demo pooling",
            "  heed demo pooling --svg pictures --seed 7",
            "  heed demo pooling --json"
        })
final class PoolingDemo extends HeedCommand {
    private static final int POINTS = 100;
    private static final double END = 10;
    private static final double NOISE = 0.5;
    private static final int STEPS = 300;
    private static final int BATCH = 20;
    private static final double RATE = 0.5;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The seed of the points and of the training; ${DEFAULT-VALUE} by default.")
    private long seed;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "The backend; auto, the default, selects the fastest that supports the demo.")
    private @Nullable String backendName;

    @Option(
            names = "--svg",
            paramLabel = "DIR",
            description = "A directory for the pictures: the curves, and the weights of both Gaussians.")
    private @Nullable Path svg;

    PoolingDemo(CliEnvironment environment) {
        super(environment);
    }

    /** The regression of the points with one kernel; {@code error} is the mean squared distance from the true curve. */
    private record Estimate(String name, double width, double[] curve, Tensor weights, double error) {}

    @Override
    public Integer call() {
        var random = new SplittableRandom(seed);
        double[] x = IntStream.range(0, POINTS)
                .mapToDouble(n -> END * random.nextDouble())
                .sorted()
                .toArray();
        double[] y = Arrays.stream(x)
                .map(at -> truth(at) + NOISE * random.nextGaussian())
                .toArray();
        double[] places =
                IntStream.range(0, POINTS).mapToDouble(n -> END * n / POINTS).toArray();
        Problem problem = Problem.parse("q1x1x" + POINTS + "x1 kv1x" + POINTS
                + " f64 score=gaussian:learned mask=dense:1x1x" + POINTS + "x" + POINTS + " lse weights");
        AttentionBackend backend = environment().select(backendName, problem);
        AttentionEngine engine = AttentionEngine.of(backend);
        Tensor keys = Tensor.of(x, POINTS, 1);
        Tensor values = Tensor.of(y, POINTS, 1);

        var training = new WidthTraining(keys, values, 1, seed, engine);
        double first = training.loss();
        try (Progress progress = progress("training the width", STEPS)) {
            for (int step = 0; step < STEPS; step++) {
                training.step(RATE, BATCH);
                progress.step();
            }
        }
        double last = training.loss();
        double width = training.width();
        Estimate average = estimate("average", 0, SmoothingKernel.constant(), engine, keys, values, places);
        Estimate gaussian = estimate("Gaussian", 1, SmoothingKernel.gaussian(1), engine, keys, values, places);
        Estimate learned = estimate(
                "learned",
                width,
                SmoothingKernel.gaussian(Tensor.of(new double[] {width}, 1)),
                engine,
                keys,
                values,
                places);

        Plot plot = Plot.blank()
                .points("data", x, y)
                .curve(
                        "x + sin x",
                        places,
                        Arrays.stream(places).map(PoolingDemo::truth).toArray())
                .curve(average.name(), places, average.curve())
                .curve(gaussian.name(), places, gaussian.curve())
                .curve(learned.name(), places, learned.curve())
                .title("Attention pooling")
                .axes("x", "y");
        if (svg != null) {
            draw(svg, plot, gaussian, learned);
        }
        boolean ordered = learned.error() < gaussian.error() && gaussian.error() < average.error();
        if (asJson()) {
            print(json(backend, ordered, first, last, average, gaussian, learned));
            return ordered ? OK : FAILED;
        }
        out().println("data     " + POINTS + " points of x + sin(x) + " + NOISE + " noise, seed " + seed);
        out().println("backend  " + backend.name());
        out().println("training " + STEPS + " steps of " + BATCH + " points, each estimated from all others: loss "
                + number(first) + " before, " + number(last) + " after");
        out().println();
        var table = new TextTable("pooling", "width", "test error");
        for (Estimate e : new Estimate[] {average, gaussian, learned}) {
            table.row(e.name(), number(e.width()), number(e.error()));
        }
        table.print(out());
        out().println();
        if (svg == null) {
            out().println(plot.terminal(environment().colors(), environment().width()));
        } else {
            out().println("written to " + VisibleText.of(svg.toString()));
        }
        out().println((ordered ? "PASS" : "FAIL") + " learned < Gaussian < average");
        return ordered ? OK : FAILED;
    }

    private static double truth(double x) {
        return x + Math.sin(x);
    }

    private static Estimate estimate(
            String name,
            double width,
            SmoothingKernel kernel,
            AttentionEngine engine,
            Tensor keys,
            Tensor values,
            double[] places) {
        var pooling = new KernelPooling(kernel).on(engine);
        Tensor queries = Tensor.of(places, places.length, 1);
        double[] curve = pooling.forward(queries, keys, values).toDoubleArray();
        double error = 0;
        for (int n = 0; n < places.length; n++) {
            double off = curve[n] - truth(places[n]);
            error += off * off / places.length;
        }
        return new Estimate(name, width, curve, pooling.weights(queries, keys, values, Mask.NONE), error);
    }

    private static void draw(Path directory, Plot plot, Estimate gaussian, Estimate learned) {
        try {
            Files.createDirectories(directory);
            plot.svg(directory.resolve("pooling.svg"));
            for (Estimate e : new Estimate[] {gaussian, learned}) {
                HeatMap.of(e.weights())
                        .title("Weights of the points, width " + number(e.width()))
                        .axes("place", "point")
                        .svg(directory.resolve("pooling-weights-" + e.name().toLowerCase(Locale.ROOT) + ".svg"));
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    "The pictures cannot be written, " + ErrorLine.file(e) + ". HINT: --svg DIR names another place",
                    e);
        }
    }

    private JsonObject json(
            AttentionBackend backend, boolean ordered, double first, double last, Estimate... estimates) {
        var json = new JsonObject();
        json.addProperty("seed", seed);
        json.addProperty("backend", backend.name());
        json.addProperty("firstLoss", first);
        json.addProperty("lastLoss", last);
        for (Estimate e : estimates) {
            json.addProperty(e.name().toLowerCase(Locale.ROOT) + "Error", e.error());
        }
        json.addProperty("width", estimates[estimates.length - 1].width());
        json.addProperty("ordered", ordered);
        return json;
    }

    private static String number(double number) {
        return String.format(Locale.ROOT, "%.4f", number);
    }
}
