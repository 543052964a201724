package dev.heed.bench;

import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A benchmark of the ceilings of this machine: multiply-adds, bytes read and bytes copied per second, on JMH's threads
 * ({@code -t}).
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Threads(2)
@Fork(
        value = 1,
        jvmArgsAppend = {Contest.VECTOR, Contest.NATIVE, Contest.UNSAFE})
public class CeilingBenchmark {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int STEPS = 100_000;
    private static final int ACCUMULATORS = 16;

    /** Two arrays of 64 MB for each thread, which do not fit in the caches. */
    @State(Scope.Thread)
    public static class Arrays {
        private static final int LENGTH = 1 << 24;
        private final float[] from = new float[LENGTH];
        private final float[] to = new float[LENGTH];

        /** Touches every page. */
        public Arrays() {
            java.util.Arrays.fill(from, 1);
            java.util.Arrays.fill(to, 1);
        }
    }

    /** Computes multiply-adds in enough independent chains to hide their latency, all in registers. */
    @Benchmark
    public float fma(Contest.FlopRate rate) {
        FloatVector factor = FloatVector.broadcast(SPECIES, 0.999f);
        FloatVector summand = FloatVector.broadcast(SPECIES, 0.001f);
        FloatVector a0 = FloatVector.zero(SPECIES);
        FloatVector a1 = FloatVector.zero(SPECIES);
        FloatVector a2 = FloatVector.zero(SPECIES);
        FloatVector a3 = FloatVector.zero(SPECIES);
        FloatVector a4 = FloatVector.zero(SPECIES);
        FloatVector a5 = FloatVector.zero(SPECIES);
        FloatVector a6 = FloatVector.zero(SPECIES);
        FloatVector a7 = FloatVector.zero(SPECIES);
        FloatVector a8 = FloatVector.zero(SPECIES);
        FloatVector a9 = FloatVector.zero(SPECIES);
        FloatVector a10 = FloatVector.zero(SPECIES);
        FloatVector a11 = FloatVector.zero(SPECIES);
        FloatVector a12 = FloatVector.zero(SPECIES);
        FloatVector a13 = FloatVector.zero(SPECIES);
        FloatVector a14 = FloatVector.zero(SPECIES);
        FloatVector a15 = FloatVector.zero(SPECIES);
        for (int i = 0; i < STEPS; i++) {
            a0 = a0.fma(factor, summand);
            a1 = a1.fma(factor, summand);
            a2 = a2.fma(factor, summand);
            a3 = a3.fma(factor, summand);
            a4 = a4.fma(factor, summand);
            a5 = a5.fma(factor, summand);
            a6 = a6.fma(factor, summand);
            a7 = a7.fma(factor, summand);
            a8 = a8.fma(factor, summand);
            a9 = a9.fma(factor, summand);
            a10 = a10.fma(factor, summand);
            a11 = a11.fma(factor, summand);
            a12 = a12.fma(factor, summand);
            a13 = a13.fma(factor, summand);
            a14 = a14.fma(factor, summand);
            a15 = a15.fma(factor, summand);
        }
        rate.gflops += 2.0 * STEPS * ACCUMULATORS * SPECIES.length() / 1e9;
        FloatVector low = a0.add(a1).add(a2.add(a3)).add(a4.add(a5).add(a6.add(a7)));
        FloatVector high = a8.add(a9).add(a10.add(a11)).add(a12.add(a13).add(a14.add(a15)));
        return low.add(high).reduceLanes(VectorOperators.ADD);
    }

    /**
     * Reads four streams and sums their elements. A single stream is a third slower because each core's prefetcher
     * stops at a page boundary.
     */
    @Benchmark
    public float read(Arrays arrays, Contest.ByteRate rate) {
        float[] from = arrays.from;
        int lanes = SPECIES.length();
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = FloatVector.zero(SPECIES);
        FloatVector s2 = FloatVector.zero(SPECIES);
        FloatVector s3 = FloatVector.zero(SPECIES);
        FloatVector s4 = FloatVector.zero(SPECIES);
        FloatVector s5 = FloatVector.zero(SPECIES);
        FloatVector s6 = FloatVector.zero(SPECIES);
        FloatVector s7 = FloatVector.zero(SPECIES);
        int quarter = from.length / 4;
        for (int i = 0; i < quarter; i += 2 * lanes) {
            s0 = s0.add(FloatVector.fromArray(SPECIES, from, i));
            s1 = s1.add(FloatVector.fromArray(SPECIES, from, i + lanes));
            s2 = s2.add(FloatVector.fromArray(SPECIES, from, i + quarter));
            s3 = s3.add(FloatVector.fromArray(SPECIES, from, i + quarter + lanes));
            s4 = s4.add(FloatVector.fromArray(SPECIES, from, i + 2 * quarter));
            s5 = s5.add(FloatVector.fromArray(SPECIES, from, i + 2 * quarter + lanes));
            s6 = s6.add(FloatVector.fromArray(SPECIES, from, i + 3 * quarter));
            s7 = s7.add(FloatVector.fromArray(SPECIES, from, i + 3 * quarter + lanes));
        }
        rate.gigabytes += 4.0 * from.length / 1e9;
        FloatVector low = s0.add(s1).add(s2.add(s3));
        FloatVector high = s4.add(s5).add(s6.add(s7));
        return low.add(high).reduceLanes(VectorOperators.ADD);
    }

    /** Copies an array; the rate is the sum of the bytes read and written. */
    @Benchmark
    public float[] copy(Arrays arrays, Contest.ByteRate rate) {
        System.arraycopy(arrays.from, 0, arrays.to, 0, arrays.from.length);
        rate.gigabytes += 8.0 * arrays.from.length / 1e9;
        return arrays.to;
    }
}
