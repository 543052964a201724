package dev.heed.bench;

import ai.onnxruntime.OrtException;
import dev.heed.tensor.Tensor;
import java.util.List;

/** A prepared workload of one contestant, ready to run. Not thread-safe. */
interface Entry extends AutoCloseable {
    /** Computes the workload once. */
    void run() throws OrtException;

    /**
     * {@return the result: the output {@code [batch, heads, queries, valueHeadDim]} (multi-head: {@code [batch,
     * queries, embedOut]}, softmax: the shape of the input), or the gradients of query, key and value}
     */
    List<Tensor> answer() throws OrtException;

    @Override
    void close() throws OrtException;
}
