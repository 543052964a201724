package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A benchmark of attention of one query over keys and values that do not fit in cache. */
public class DecodeBenchmark extends Contest {
    /** Case strings. */
    @Param({"q1x32x1x128 kv32x4096 f32", "q1x32x1x128 kv8x16384 f32"})
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes the attention of one query in every head. */
    @Benchmark
    public void forward(ByteRate rate) throws OrtException {
        move(rate);
    }
}
