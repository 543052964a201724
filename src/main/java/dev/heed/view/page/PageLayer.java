package dev.heed.view.page;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One layer of a page, with its encoded heads.
 *
 * @param name the name of the layer on the page
 * @param scale the weight of the largest code
 * @param heads the bytes of a {@link PageHead} for each head
 */
public record PageLayer(String name, double scale, List<byte[]> heads) {
    /** Maximum of a softmax weight after rounding; the exact value is at most 1. */
    private static final double ROUNDING = 1.001;

    public PageLayer {
        heads = List.copyOf(heads);
    }

    /** A source of the rows of a layer. */
    private interface Rows {
        void read(int head, int row, PageRow into);
    }

    /**
     * {@return a layer with the {@code perRow} largest weights of each row of {@code weights [heads, queries, keys]}}
     */
    public static PageLayer dense(String name, Tensor weights, int queries, int keys, int perRow) {
        if (weights.rank() != 3 || weights.size(1) != queries || weights.size(2) != keys) {
            throw new InvalidInputException(
                    "A layer needs the weights of every head, from every query token to every key token",
                    "[heads, " + queries + ", " + keys + "]",
                    weights.toString(),
                    "result.weights().select(0, 0) is the first of a batch");
        }
        Rows rows = (head, row, into) ->
                into.largestOf(weights.select(0, head).select(0, row).toDoubleArray());
        return pack(name, Math.toIntExact(weights.size(0)), queries, perRow, rows);
    }

    /** {@return a layer from the largest weights of each row and their keys, both {@code [heads, queries, any]}} */
    public static PageLayer listed(String name, Tensor weights, Tensor indices, int queries, int keys) {
        boolean fits = weights.rank() == 3
                && weights.size(1) == queries
                && indices.type() == DType.I64
                && indices.hasShape(weights.shape());
        if (!fits) {
            throw new InvalidInputException(
                    "Every listed weight must have a key",
                    "weights [heads, " + queries + ", any] and i64 keys of the same shape",
                    weights + " and " + indices,
                    "result.topKWeights().select(0, 0) and result.topKIndices().select(0, 0)");
        }
        int listed = Math.toIntExact(weights.size(2));
        Rows rows = (head, row, into) -> {
            long[] found = new long[listed];
            for (int i = 0; i < listed; i++) {
                found[i] = (long) indices.get(head, row, i);
            }
            into.listed(weights.select(0, head).select(0, row).toDoubleArray(), found, keys);
        };
        return pack(name, Math.toIntExact(weights.size(0)), queries, listed, rows);
    }

    private static PageLayer pack(String name, int heads, int queries, int perRow, Rows rows) {
        var row = new PageRow(perRow);
        double scale = 1;
        List<byte[]> packed = new ArrayList<>(heads);
        for (int head = 0; head < heads; head++) {
            var bytes = new PageHead(queries, scale);
            double largest = scale;
            for (int i = 0; i < queries; i++) {
                rows.read(head, i, row);
                largest = Math.max(largest, row.largest());
                bytes.add(row);
            }
            packed.add(bytes.bytes());
            if (largest > scale * ROUNDING) { // not a softmax: encode again with this scale
                scale = largest;
                packed.clear();
                head = -1;
            }
        }
        return new PageLayer(name, scale, packed);
    }
}
