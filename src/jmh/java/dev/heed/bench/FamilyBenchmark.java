package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A benchmark of one score function, forward or backward according to the case string. */
public class FamilyBenchmark extends Contest {
    /** Case strings. */
    @Param({"q1x2x1024x64 kv2x1024 f32", "q1x2x1024x64 kv2x1024 f32 score=additive:plain"})
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes one pass. */
    @Benchmark
    public void pass(FlopRate rate) throws OrtException {
        compute(rate);
    }
}
