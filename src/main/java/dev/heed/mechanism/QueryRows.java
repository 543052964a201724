package dev.heed.mechanism;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.mask.BoundMask;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A range of the query rows of an attention, computed as a separate attention. A matrix of queries by keys is then
 * stored for these rows only, so its size does not depend on the number of queries.
 *
 * @param whole the attention with all rows
 * @param from the first row
 * @param to the end of the rows (exclusive)
 */
record QueryRows(AttentionInputs whole, long from, long to) {
    /**
     * Maximum number of query-key pairs per range, over all batch entries and heads; only a range of one row may have
     * more.
     */
    private static final long PLACES = 1 << 20;

    /** {@return all rows, in ranges of at most {@code PLACES} query-key pairs, or of one row} */
    static List<QueryRows> chunks(AttentionInputs whole) {
        return chunks(whole, PLACES);
    }

    static List<QueryRows> chunks(AttentionInputs whole, long places) {
        AttentionShape s = whole.problem().shape();
        long rows = Math.clamp(places / (s.batch() * s.numHeads() * s.seqLenKv()), 1, s.seqLenQ());
        List<QueryRows> chunks = new ArrayList<>();
        for (long from = 0; from < s.seqLenQ(); from += rows) {
            chunks.add(new QueryRows(whole, from, Math.min(s.seqLenQ(), from + rows)));
        }
        return chunks;
    }

    /** {@return the inputs with a value of one column of zeros, for calls that need only scores, weights or the LSE} */
    static AttentionInputs withoutValues(AttentionInputs inputs) {
        AttentionShape s = inputs.problem().shape();
        Tensor nothing = Tensor.zeros(inputs.value().type(), s.batch(), s.numKvHeads(), s.seqLenKv(), 1);
        return AttentionInputs.of(inputs.query(), inputs.key(), nothing, inputs.options());
    }

    /**
     * Checks that the options have no sink and no dropout, and request no optional outputs other than the LSE.
     *
     * @param mechanism the name of the mechanism, for the message
     */
    static void requirePlain(String mechanism, AttentionInputs inputs) {
        AttentionOptions o = inputs.options();
        boolean plain = o.sink() == null && o.dropout() == 0 && o.outputs().onlyOutputAndLse();
        if (!plain) {
            throw new InvalidInputException(
                            "Unsupported options of " + mechanism,
                            "score, softcap, bias, ALiBi, mask and backend only",
                            "a sink, dropout, or requested weights, row weights, largest weights or scores",
                            "leave them out")
                    .in(inputs.problem().toString());
        }
    }

    long count() {
        return to - from;
    }

    /** {@return the mask of these rows} */
    Mask mask() {
        return rows(whole.options().mask());
    }

    /** {@return the options of these rows; ALiBi slopes become part of the bias} */
    AttentionOptions options() {
        AttentionOptions o = whole.options();
        Tensor bias = o.bias();
        return o.withMask(mask())
                .withScore(score())
                .withBias(o.alibiSlopes() != null ? fullBias() : bias == null ? null : ofBias(bias))
                .withAlibi(null);
    }

    /** {@return the rows of a tensor that broadcasts to {@code [batch, numHeads, seqLenQ, seqLenKv]}} */
    Tensor ofBias(Tensor bias) {
        boolean shared = bias.rank() < 2 || bias.size(-2) == 1;
        return shared ? bias : bias.slice(-2, from, to);
    }

    /** {@return the rows of a {@code [batch, numHeads, seqLenQ, ...]} tensor} */
    Tensor of(Tensor tensor) {
        return tensor.slice(2, from, to);
    }

    /** {@return the inputs of the attention of these rows, with the given options} */
    AttentionInputs with(AttentionOptions options) {
        return AttentionInputs.of(of(whole.query()), whole.key(), whole.value(), options);
    }

    /**
     * {@return the sum of bias and ALiBi of these rows, {@code [batch, numHeads, rows, seqLenKv]}, in a new tensor; zeros
     * if the options have neither}
     */
    Tensor fullBias() {
        AttentionShape s = whole.problem().shape();
        DType type = whole.query().type().accumulator();
        Tensor full = Tensor.zeros(type, s.batch(), s.numHeads(), count(), s.seqLenKv());
        Tensor bias = whole.options().bias();
        if (bias != null) {
            full.copyFrom(ofBias(bias).expand(full.shape()));
        }
        Tensor slopes = whole.options().alibiSlopes();
        if (slopes != null) {
            long shift = s.seqLenKv() - s.seqLenQ();
            for (long b = 0; b < s.batch(); b++) {
                for (long h = 0; h < s.numHeads(); h++) {
                    double slope = slopes.get(h);
                    for (long i = from; i < to; i++) {
                        for (long j = 0; j < s.seqLenKv(); j++) {
                            double there = full.get(b, h, i - from, j) - slope * Math.abs(i + shift - j);
                            full.set(there, b, h, i - from, j);
                        }
                    }
                }
            }
        }
        return full;
    }

    private ScoreFunction score() {
        ScoreFunction score = whole.options().score();
        boolean rowed = score instanceof ScoreFunction.Cosine(double ignored, Tensor strengths)
                && strengths != null
                && strengths.rank() > 0
                && strengths.size(-1) > 1;
        return rowed ? score.map(strengths -> strengths.slice(-1, from, to)) : score;
    }

    private Mask rows(Mask mask) {
        return switch (mask) {
            case Mask.None none -> none;
            case Mask.KeyLengths lengths -> lengths;
            case Mask.Causal causal -> rows(causal.window());
            case Mask.Window window -> rows(window);
            case Mask.Dense(Tensor takesPart) ->
                takesPart.size(2) == 1 ? mask : Mask.dense(takesPart.slice(2, from, to));
            case Mask.Spans(Tensor spans) -> spans.size(2) == 1 ? mask : Mask.spans(spans.slice(2, from, to));
            case Mask.Blocks blocks -> // the rows may begin inside a block
                written(blocks, blocks.takesPart().size(0), blocks.takesPart().size(1));
            case Mask.And(List<Mask> masks) ->
                new Mask.And(masks.stream().map(this::rows).toList());
            case Mask.Or(List<Mask> masks) ->
                new Mask.Or(masks.stream().map(this::rows).toList());
        };
    }

    /** Moves the positions of a window; expands it to a dense mask if a position would leave the range of a long. */
    private Mask rows(Mask.Window window) {
        AttentionShape s = whole.problem().shape();
        long[] offsets = LongStream.range(0, s.batch())
                .map(b -> window.alignment().offsetOf(b, s.seqLenQ(), s.seqLenKv()))
                .toArray();
        if (LongStream.of(offsets).anyMatch(offset -> offset > Long.MAX_VALUE - from)) {
            return written(window, s.batch(), 1);
        }
        CausalAlignment moved = CausalAlignment.offset(
                LongStream.of(offsets).map(offset -> offset + from).toArray());
        return new Mask.Window(window.left(), window.right(), moved);
    }

    /** Expands a mask that is the same for all batch entries or heads if {@code batches} or {@code heads} is 1. */
    private Mask written(Mask mask, long batches, long heads) {
        AttentionShape s = whole.problem().shape();
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        Tensor truths = Tensor.zeros(DType.BOOL, batches, heads, count(), s.seqLenKv());
        for (long b = 0; b < batches; b++) {
            for (long h = 0; h < heads; h++) {
                for (long i = from; i < to; i++) {
                    for (long j = 0; j < s.seqLenKv(); j++) {
                        truths.set(bound.takesPart(b, h, i, j) ? 1 : 0, b, h, i - from, j);
                    }
                }
            }
        }
        return Mask.dense(truths);
    }
}
