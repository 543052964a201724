package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * A benchmark of the projections of multi-head attention, on sequences so short that attention is only 1 % of the work.
 */
public class ProjectionBenchmark extends Contest {
    /** Case strings. */
    @Param({"mha in=768x768x768 out=768 biases=qkvo q64x12x16x64 kv12x16 f32"})
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes four projections of 1024 rows. */
    @Benchmark
    public void forward(FlopRate rate) throws OrtException {
        compute(rate);
    }
}
