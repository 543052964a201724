package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A benchmark of attention of many queries, forward. */
public class PrefillBenchmark extends Contest {
    /** Case strings. */
    @Param({
        "q1x8x512x64 kv8x512 f32",
        "q1x8x512x64 kv8x512 f32 mask=causal:br",
        "q1x8x2048x64 kv8x2048 f32",
        "q1x8x2048x64 kv8x2048 f32 mask=causal:br",
        "q1x8x2048x128 kv8x2048 f32",
        "q1x8x2048x128 kv8x2048 f32 mask=causal:br",
        "q4x12x128x64 kv12x128 f32",
        "q4x12x128x64 kv12x128 f32 mask=causal:br"
    })
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes one forward pass. */
    @Benchmark
    public void forward(FlopRate rate) throws OrtException {
        compute(rate);
    }
}
