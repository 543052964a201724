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

/** A benchmark of one workload by one contestant. JMH runs each in a process of its own, so peers never meet. */
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

    /** JMH itself uses the class that this keeps quiet. */
    static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";

    /** Who computes: a backend of Heed (also opencl, opencl-jocl, opencl-resident, opencl-resident-jocl), or a peer. */
    @Param({"vector", "libtorch", "djl", "onnxruntime", "naive"})
    public String backend = "";

    /** How many threads compute one call; naive takes one whatever this says. */
    @Param("2")
    public int threads;

    private Workload workload;
    private Entry entry;

    /** The derived column of what is bound by arithmetic. */
    @AuxCounters
    @State(Scope.Thread)
    public static class FlopRate {
        /** Counted up by every operation and divided by the seconds. */
        public double gflops;
    }

    /** The derived column of what is bound by memory. */
    @AuxCounters
    @State(Scope.Thread)
    public static class ByteRate {
        /** Counted up by every operation and divided by the seconds. */
        public double gigabytes;
    }

    abstract String problem();

    /** Makes the data, then throws unless the contestant is ready and its answer is right. */
    @Setup
    public void enter() throws OrtException {
        workload = Workload.parse(problem());
        Contestant contestant = Contestant.named(backend);
        entry = contestant.enter(workload, threads);
        new AnswerCheck(backend, contestant.isHeed()).requireRight(workload, entry.answer());
    }

    /** Gives back what the contestant holds. */
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
