package dev.heed.bench;

import ai.onnxruntime.OrtException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Softmax over rows that do not fit in cache together. */
public class SoftmaxBenchmark extends Contest {
    /** Case strings. */
    @Param({"softmax 4096x8192 axis=-1 f32"})
    public String problem = "";

    @Override
    String problem() {
        return problem;
    }

    /** One pass over the rows. */
    @Benchmark
    public void forward(ByteRate rate) throws OrtException {
        move(rate);
    }
}
