package dev.heed.backend.opencl.plan;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.SecondPass;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The largest weights of rows whose keys are cut into chunks: merges the lists of the chunks in the order of the keys. */
final class TopLists {
    private static final long NONE = -1;

    private final int k;
    private final double[] weights;
    private final long[] keys;

    TopLists(long rows, int k) {
        this.k = k;
        this.weights = new double[Math.toIntExact(rows * k)];
        this.keys = new long[weights.length];
        Arrays.fill(keys, NONE);
    }

    /** Adds the lists of a chunk, whose first key is {@code keyFrom}; its keys must follow all keys added so far. */
    void add(CallScope scope, SecondPass.Ranked ranked, long keyFrom) {
        Tensor elements = Tensor.zeros(scope.real(), weights.length);
        scope.read(ranked.weights(), elements.segment());
        double[] others = elements.toDoubleArray();
        long[] otherKeys = new long[keys.length];
        scope.read(ranked.keys(), MemorySegment.ofArray(otherKeys));
        for (int from = 0; from < keys.length; from += k) {
            merge(from, others, otherKeys, keyFrom);
        }
    }

    /**
     * Merges a chunk's list of one row into the list of that row; both begin at index {@code from}. Equal weights keep the
     * order of their keys.
     */
    private void merge(int from, double[] others, long[] otherKeys, long keyFrom) {
        double[] mine = Arrays.copyOfRange(weights, from, from + k);
        long[] mineKeys = Arrays.copyOfRange(keys, from, from + k);
        int a = 0;
        int b = 0;
        for (int n = from; n < from + k; n++) {
            boolean first = mineKeys[a] != NONE && (otherKeys[from + b] == NONE || mine[a] >= others[from + b]);
            if (first) {
                weights[n] = mine[a];
                keys[n] = mineKeys[a++];
            } else if (otherKeys[from + b] != NONE) {
                weights[n] = others[from + b];
                keys[n] = otherKeys[from + b++] + keyFrom;
            } else {
                return;
            }
        }
    }

    /** Writes the lists to two tensors {@code [batch, heads, queries, k]}. */
    void deliver(CallScope scope, Tensor weightsTo, Tensor keysTo) {
        Results.write(scope, Tensor.of(weights, weightsTo.shape()).to(weightsTo.type()), weightsTo);
        Tensor indices = Tensor.zeros(DType.I64, keysTo.shape());
        MemorySegment.copy(keys, 0, indices.segment(), JAVA_LONG, 0, keys.length);
        Results.write(scope, indices, keysTo);
    }
}
