package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A benchmark of the backward pass of attention; the forward pass is not timed. ONNX Runtime has no backward pass. */
public class BackwardBenchmark extends Contest {
    /** Case strings. */
    @Param({
        "q1x8x512x64 kv8x512 f32 backward",
        "q1x8x512x64 kv8x512 f32 mask=causal:br backward",
        "q1x8x2048x64 kv8x2048 f32 backward",
        "q1x8x2048x64 kv8x2048 f32 mask=causal:br backward"
    })
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes the gradients of query, key and value. */
    @Benchmark
    public void backward(FlopRate rate) throws OrtException {
        compute(rate);
    }
}
