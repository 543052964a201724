package dev.heed.bench;

import ai.onnxruntime.OrtException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A benchmark of one workload by one contestant. JMH runs each benchmark in its own process, so contestants never share
 * a process.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {Contest.VECTOR, Contest.NATIVE, Contest.UNSAFE})
public abstract class Contest {
    static final String VECTOR = "--add-modules=jdk.incubator.vector";
    static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

    /** JVM option that silences the warning about {@code sun.misc.Unsafe}, which JMH uses. */
    static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";

    /** The contestant: one of these, or opencl, opencl-jocl, opencl-resident or opencl-resident-jocl. */
    @Param({"vector", "libtorch", "djl", "onnxruntime", "onnxruntime-gqa", "naive"})
    public String backend = "";

    /** Threads that compute one call; naive always uses one thread, and OpenCL drivers choose the number themselves. */
    @Param("2")
    public int threads;

    private Workload workload;
    private Entry entry;

    /** The secondary result (in JMH's terms) of workloads bound by arithmetic: GFLOP/s. */
    @AuxCounters
    @State(Scope.Thread)
    public static class FlopRate {
        /** Giga floating-point operations, increased by every call; JMH divides the sum by the seconds. */
        public double gflops;
    }

    /** The secondary result of workloads bound by memory: GB/s. */
    @AuxCounters
    @State(Scope.Thread)
    public static class ByteRate {
        /** Gigabytes, increased by every call; JMH divides the sum by the seconds. */
        public double gigabytes;
    }

    abstract String problem();

    /**
     * Creates the data and prepares the contestant. Throws if the contestant is not ready, does not support the
     * workload, or gives a wrong answer.
     */
    @Setup
    public void enter() throws OrtException {
        workload = Workload.parse(problem());
        Contestant contestant = Contestant.named(backend);
        entry = contestant.enter(workload, threads);
        new AnswerCheck(backend, contestant.isHeed()).requireRight(workload, entry.answer());
    }

    /** Releases the resources of the contestant. */
    @TearDown
    public void leave() throws OrtException {
        entry.close();
    }

    final void compute(FlopRate rate) throws OrtException {
        entry.run();
        rate.gflops += workload.flops() / 1e9;
    }

    final void move(ByteRate rate) throws OrtException {
        entry.run();
        rate.gigabytes += workload.bytes() / 1e9;
    }
}
