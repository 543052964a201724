package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A benchmark of multi-head attention with its projections. */
public class MultiHeadBenchmark extends Contest {
    /** Case strings. */
    @Param({"mha in=768x768x768 out=768 biases=qkvo q8x12x128x64 kv12x128 f32"})
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes one layer. */
    @Benchmark
    public void forward(FlopRate rate) throws OrtException {
        compute(rate);
    }
}
