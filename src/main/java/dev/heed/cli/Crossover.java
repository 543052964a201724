package dev.heed.cli;

import dev.heed.AttentionBackend;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A measurement of the number of operations from which a device is faster than the CPU, including copies to the device
 * and back. It times attention of growing length on both and uses the shortest run, because other processes only
 * lengthen runs.
 */
final class Crossover {
    private static final int RUNS = 3;
    private static final long ENOUGH_NANOS =
            400_000_000; // minimum time of the warm-up, and again of the timed runs, of one problem on one backend
    private static final double MEGA = 1e6;

    /** The kinds of attention that are measured, each with the shortest and the longest length; the length doubles. */
    private enum Kind {
        PREFILL("q1x8x%1$dx64 kv8x%1$d f32", 32, 2048),
        DECODE("q1x32x1x128 kv8x%d f32", 128, 32768);

        private final String pattern;
        private final int from;
        private final int to;

        Kind(String pattern, int from, int to) {
            this.pattern = pattern;
            this.from = from;
            this.to = to;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * The measurements at one length.
     *
     * @param problem the attention problem
     * @param cpuSeconds seconds of one call on the CPU
     * @param deviceSeconds seconds of one call on the device, with copies
     */
    record Point(AttentionProblem problem, double cpuSeconds, double deviceSeconds) {
        boolean deviceWins() {
            return deviceSeconds < cpuSeconds;
        }
    }

    /**
     * The measurements of one kind of attention at all lengths.
     *
     * @param label the kind: prefill or decode
     * @param points the measurements from the shortest to the longest
     */
    record Line(String label, List<Point> points) {
        /**
         * {@return the millions of operations of the shortest length from which on the device was always faster; 0 if it
         * was faster at all lengths, {@link Integer#MAX_VALUE} if it was not faster at the greatest length}
         */
        int megaflops() {
            int from = Integer.MAX_VALUE;
            for (int n = points.size() - 1; n >= 0 && points.get(n).deviceWins(); n--) {
                from = n == 0 ? 0 : (int) Math.round(points.get(n).problem().flops() / MEGA);
            }
            return from;
        }

        String row() {
            return label + "\t|\t" + megaflops();
        }
    }

    private final AttentionBackend cpu;
    private final AttentionBackend device;

    Crossover(AttentionBackend cpu, AttentionBackend device) {
        this.cpu = cpu;
        this.device = device;
    }

    static int steps() {
        int steps = 0;
        for (Kind kind : Kind.values()) {
            for (int length = kind.from; length <= kind.to; length *= 2) {
                steps++;
            }
        }
        return steps;
    }

    List<Line> measure(Runnable step) {
        List<Line> lines = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            List<Point> points = new ArrayList<>();
            for (int length = kind.from; length <= kind.to; length *= 2) {
                AttentionProblem problem = AttentionProblem.parse(String.format(Locale.ROOT, kind.pattern, length));
                Arena arena = Arena.ofAuto(); // a device may read it in place, unlike a shared arena
                AttentionInputs inputs = inputs(problem, arena);
                points.add(new Point(problem, seconds(cpu, inputs, arena), seconds(device, inputs, arena)));
                step.run();
            }
            lines.add(new Line(kind.label(), points));
        }
        return lines;
    }

    private static AttentionInputs inputs(AttentionProblem problem, Arena arena) {
        AttentionShape s = problem.shape();
        var random = new Random(1);
        return AttentionInputs.of(
                numbers(random, arena, s.batch(), s.numHeads(), s.seqLenQ(), s.headDim()),
                numbers(random, arena, s.batch(), s.numKvHeads(), s.seqLenKv(), s.headDim()),
                numbers(random, arena, s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim()),
                AttentionOptions.DEFAULT);
    }

    private static Tensor numbers(Random random, Arena arena, long... shape) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, shape);
        for (long n = 0; n < tensor.elementCount(); n++) {
            tensor.put(n, random.nextFloat() - 0.5f);
        }
        return tensor;
    }

    private static double seconds(AttentionBackend backend, AttentionInputs inputs, Arena arena) {
        AttentionResult result = AttentionResult.allocate(inputs.problem(), arena);
        List<Long> times = new ArrayList<>();
        try (AttentionPlan plan = backend.plan(inputs.problem())) {
            long start = System.nanoTime();
            for (int n = 0; n < 2 || System.nanoTime() - start < ENOUGH_NANOS; n++) {
                plan.forward(inputs, result); // warm-up compiles kernels and loops
            }
            start = System.nanoTime();
            while (times.size() < RUNS || System.nanoTime() - start < ENOUGH_NANOS) {
                long from = System.nanoTime();
                plan.forward(inputs, result);
                times.add(System.nanoTime() - from);
            }
        }
        return Collections.min(times) * 1e-9;
    }
}
