package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionShape;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/** {@code (s W)_j}: the columns of W, cut to the length, are the keys. The keys themselves are never read. */
final class LocationRows extends Rewriting {
    /** The columns of a matrix as rows. */
    private record Columns(Tensor rows) {}

    private static Tensor weight(AttentionInputs inputs) {
        return ((ScoreFunction.Location) inputs.options().score()).weight();
    }

    /** One for each query head, or one key head for all. */
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
        Tensor sums = Tensor.zeros(DType.F64, place.shape());
        boolean perHead = place.rank() == 3;
        for (long b = 0; b < dColumns.size(0); b++) {
            for (long h = 0; h < dColumns.size(1); h++) {
                Tensor to = perHead ? sums.select(0, h) : sums;
                for (long j = 0; j < dColumns.size(2); j++) {
                    for (long d = 0; d < dColumns.size(3); d++) {
                        long cell = to.position(d, j);
                        to.put(cell, to.at(cell) + dColumns.get(b, h, j, d));
                    }
                }
            }
        }
        place.copyFrom(sums);
    }
}
