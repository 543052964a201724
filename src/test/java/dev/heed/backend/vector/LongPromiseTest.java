package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.mask.CausalAlignment;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import dev.heed.verify.ErrorBudget;
import dev.heed.verify.Measure;
import dev.heed.verify.NaiveBackend;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Tests that a prefill whose scores would take four gigabytes allocates less than 200 MB, and that sampled rows of its
 * output and LSE keep the error budget.
 */
class LongPromiseTest {
    private static final int LENGTH = 32 * 1024;
    private static final int WIDTH = 64;
    private static final int SAMPLES = 64;
    private static final long MEGABYTE = 1 << 20;

    @Test
    void aPrefillOf32kBy32k() {
        assumeTrue(Boolean.getBoolean("heed.full"), "ten seconds: -Dheed.full=true");
        AttentionInputs inputs = AttentionInputs.of(
                normal(1),
                normal(2),
                normal(3),
                AttentionOptions.DEFAULT.causal().withLse());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (VectorBackend backend = new VectorBackend()) {
            compile(backend);
            System.gc();
            ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
            long used = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            long allocated = threads.getTotalThreadAllocatedBytes();
            long start = System.nanoTime();
            backend.plan(inputs.problem()).forward(inputs, result);
            double seconds = (System.nanoTime() - start) * 1e-9;
            allocated = threads.getTotalThreadAllocatedBytes() - allocated;
            long peak = ManagementFactory.getMemoryPoolMXBeans().stream()
                    .filter(pool -> pool.getType() == MemoryType.HEAP)
                    .mapToLong(pool -> pool.getPeakUsage().getUsed())
                    .sum();
            System.out.printf(
                    Locale.ROOT,
                    "%s: %.1f s, %,d bytes allocated, heap %,d bytes before, at most %,d%n",
                    inputs.problem(),
                    seconds,
                    allocated,
                    used,
                    peak);
            assertTrue(allocated < 200 * MEGABYTE, allocated + " bytes allocated");
            assertTrue(peak - used < 200 * MEGABYTE, "heap " + used + " -> " + peak);
        }
        double[][] truth = sampled(new ReferenceBackend(), DType.F64, inputs);
        double[][] naive = sampled(new NaiveBackend(), DType.F32, inputs);
        double[][] ours = {
            new double[SAMPLES * WIDTH], new double[SAMPLES],
        };
        for (int n = 0; n < SAMPLES; n++) {
            Tensor row = result.output().select(0, 0).select(0, 0).select(0, sample(n));
            System.arraycopy(row.toDoubleArray(), 0, ours[0], n * WIDTH, WIDTH);
            ours[1][n] = result.lse().get(0, 0, sample(n));
        }
        ErrorBudget budget = ErrorBudget.forward(DType.F32);
        for (int part = 0; part < 2; part++) {
            String name = part == 0 ? "sampled output" : "sampled lse";
            Measure measure = budget.measure(name, ours[part], truth[part], naive[part], Double.POSITIVE_INFINITY);
            System.out.println(measure);
            assertTrue(measure.passed(), measure::toString);
        }
    }

    /**
     * Calls the backend 30 times, so that its loops are compiled. Before that, every vector is an object on the heap, which
     * takes gigabytes per call.
     */
    private static void compile(AttentionBackend backend) {
        AttentionInputs inputs = Qkv.of("q1x1x2048x64 kv1x2048 f32")
                .with(AttentionOptions.DEFAULT.causal().withLse());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        for (int n = 0; n < 30; n++) {
            backend.plan(inputs.problem()).forward(inputs, result);
        }
    }

    /** {@return the row index of a sample; samples range from the first row to the last, both included} */
    private static long sample(int n) {
        return (long) n * (LENGTH - 1) / (SAMPLES - 1);
    }

    /**
     * Computes each sampled row as a problem of one query, with the row index as causal offset; returns the outputs and the
     * LSE of all samples.
     */
    private static double[][] sampled(AttentionBackend backend, DType type, AttentionInputs inputs) {
        double[] outputs = new double[SAMPLES * WIDTH];
        double[] lse = new double[SAMPLES];
        Tensor key = inputs.key().to(type);
        Tensor value = inputs.value().to(type);
        for (int n = 0; n < SAMPLES; n++) {
            AttentionInputs one = AttentionInputs.of(
                    inputs.query().slice(2, sample(n), sample(n) + 1).to(type),
                    key,
                    value,
                    AttentionOptions.DEFAULT
                            .causal(CausalAlignment.offset(sample(n)))
                            .withLse());
            AttentionProblem problem = one.problem();
            AttentionResult result = AttentionResult.allocate(problem);
            backend.plan(problem).forward(one, result);
            System.arraycopy(result.output().toDoubleArray(), 0, outputs, n * WIDTH, WIDTH);
            lse[n] = result.lse().get(0, 0, 0);
        }
        return new double[][] {outputs, lse};
    }

    private static Tensor normal(long seed) {
        Random random = new Random(seed);
        float[] values = new float[LENGTH * WIDTH];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensor.of(values, 1, 1, LENGTH, WIDTH);
    }
}
