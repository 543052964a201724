package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionShape;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/**
 * The rewriting of location scores {@code (s W)_j} of a query s and key j as dot products: the first seqLenKv columns of W
 * become the keys. The keys of the problem are never read.
 */
final class LocationRows extends Rewriting {
    private static final int CACHED = 64;

    /** The columns of W, stored as rows. */
    private record Columns(Tensor rows) {}

    private static Tensor weight(AttentionInputs inputs) {
        return ((ScoreFunction.Location) inputs.options().score()).weight();
    }

    /** {@return the number of heads of the rewritten keys} */
    private static long heads(AttentionInputs inputs) {
        AttentionShape s = inputs.problem().shape();
        return inputs.problem().score().perHead() ? s.numHeads() : s.numKvHeads();
    }

    @Override
    Rewritten rewrite(AttentionInputs inputs) {
        AttentionShape s = inputs.problem().shape();
        DType type = inputs.query().type().accumulator();
        Tensor weight = weight(inputs);
        Tensor rows = weight.prepared(
                        Columns.class,
                        () -> new Columns(weight.transpose(weight.rank() - 2, weight.rank() - 1)
                                .to(weight.type() == DType.F64 ? DType.F64 : DType.F32)))
                .rows();
        Tensor cut = as(type, rows.slice(rows.rank() - 2, 0, s.seqLenKv()));
        Tensor keys = cut.expand(s.batch(), heads(inputs), s.seqLenKv(), s.headDim());
        return new Rewritten(as(type, inputs.query()), keys, ScoreFunction.dot());
    }

    @Override
    Tensor queryGradient(AttentionInputs inputs, AttentionGradients gradients) {
        boolean direct = gradients.query().type() == inputs.query().type().accumulator();
        return direct ? gradients.query() : zeros(gradients.query());
    }

    @Override
    Tensor keyGradient(AttentionInputs inputs, AttentionGradients gradients) {
        AttentionShape s = inputs.problem().shape();
        return Tensor.zeros(inputs.query().type().accumulator(), s.batch(), heads(inputs), s.seqLenKv(), s.headDim());
    }

    @Override
    void backward(AttentionInputs inputs, AttentionGradients inner, AttentionGradients gradients) {
        if (inner.query() != gradients.query()) {
            gradients.query().copyFrom(inner.query());
        }
        gradients.key().fill(0);
        if (!(gradients.score() instanceof ScoreFunction.Location(Tensor place))) {
            return;
        }
        Tensor dColumns = inner.key();
        int heads = Math.toIntExact(dColumns.size(1));
        int keys = Math.toIntExact(dColumns.size(2));
        int width = Math.toIntExact(dColumns.size(3));
        int longest = Math.toIntExact(place.size(-1));
        boolean perHead = place.rank() == 3;
        double[] sums = new double[Math.toIntExact(place.elementCount())];
        for (int bh = 0; bh < dColumns.size(0) * heads; bh++) {
            Tensor rows = dColumns.select(0, bh / heads).select(0, bh % heads);
            int head = perHead ? bh % heads * width * longest : 0;
            addTransposed(rows.toDoubleArray(), keys, width, sums, head, longest);
        }
        place.copyFrom(Tensor.of(sums, place.shape()));
    }

    /** Adds the transpose of {@code rows} to the sums of a head, in blocks of rows that fit the first-level cache. */
    private static void addTransposed(double[] rows, int count, int width, double[] sums, int head, int longest) {
        for (int j = 0; j < count; j += CACHED) {
            int end = Math.min(j + CACHED, count);
            for (int d = 0; d < width; d++) {
                int to = head + d * longest;
                for (int r = j; r < end; r++) {
                    sums[to + r] += rows[r * width + d];
                }
            }
        }
    }
}
