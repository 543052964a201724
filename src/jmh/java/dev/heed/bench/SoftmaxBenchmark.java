package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A benchmark of softmax over rows that together exceed the cache. */
public class SoftmaxBenchmark extends Contest {
    /** Case strings. */
    @Param({"softmax 4096x8192 axis=-1 f32"})
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** Computes one pass over the rows. */
    @Benchmark
    public void forward(ByteRate rate) throws OrtException {
        move(rate);
    }
}
