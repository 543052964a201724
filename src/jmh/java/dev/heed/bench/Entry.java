package dev.heed.bench;

import ai.onnxruntime.OrtException;
import dev.heed.tensor.Tensor;
import java.util.List;

/** A workload that only has to be run. One thread at a time. */
interface Entry extends AutoCloseable {
    /** Computes it once. */
    void run() throws OrtException;

    /**
     * {@return what it computes: the output {@code [batch, heads, queries, width]} (multi-head: {@code [batch, queries,
     * width]}), or the gradients of query, key and value}
     */
    List<Tensor> answer() throws OrtException;

    @Override
    void close() throws OrtException;
}
