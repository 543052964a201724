package dev.heed.backend.opencl.score;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.score.ScoreFunction;
import dev.heed.score.ScoreKind;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The rewriting of a chunk of an attention so that kernels support its pairwise score: a dot product, {@code v.tanh(q + k)}, or a
 * squared distance. Rewritten rows are not rounded to the storage type.
 *
 * @param score the score function of the attention
 * @param chunk the chunk to rewrite
 */
public record Lowering(ScoreFunction score, Chunk chunk) {

    /** {@return whether queries or keys are rewritten before they are scored} */
    static boolean rewrites(ScorePattern pattern) {
        return switch (pattern.kind()) {
            case DOT, SCALED_DOT, GAUSSIAN, CUSTOM -> false;
            case ADDITIVE -> !isPlain(pattern);
            case COSINE, GENERAL, LOCATION, CONCAT -> true;
        };
    }

    /** {@return whether an additive score has no projections: {@code v.tanh(q + k)}} */
    private static boolean isPlain(ScorePattern pattern) {
        return pattern.kind() == ScoreKind.ADDITIVE && pattern.toString().contains(":plain");
    }

    /** {@return whether each query head has separate keys, computed with the parameters of this head} */
    private static boolean ownKeys(ScorePattern pattern) {
        return pattern.perHead()
                && switch (pattern.kind()) {
                    case LOCATION, CONCAT -> true;
                    case ADDITIVE -> !isPlain(pattern);
                    default -> false;
                };
    }

    /** {@return the shape of the rewritten attention} */
    public static AttentionShape shape(AttentionShape s, ScorePattern pattern) {
        long width = switch (pattern.kind()) {
            case GENERAL -> s.keyHeadDim();
            case ADDITIVE -> isPlain(pattern) ? s.headDim() : pattern.sizes()[0];
            case CONCAT -> pattern.sizes()[0];
            default -> s.headDim();
        };
        long kvHeads = ownKeys(pattern) ? s.numHeads() : s.numKvHeads();
        return new AttentionShape(s.batch(), s.numHeads(), kvHeads, s.seqLenQ(), s.seqLenKv(), width, s.valueHeadDim());
    }

    /** {@return the storage type of the rows that kernels read} */
    public static DType storage(DType type, ScorePattern pattern) {
        return rewrites(pattern) && type != DType.F64 ? DType.F32 : type;
    }

    public AttentionShape shape() {
        return shape(chunk.shape(), score.pattern());
    }

    public LoweredRows queries(CallScope scope, DeviceTensor given) {
        long heads = chunk.shape().numHeads();
        long width = chunk.whole().headDim();
        return switch (score) {
            case ScoreFunction.Cosine f ->
                new NormalisedRows(
                        scope,
                        given,
                        f.strength(),
                        f.strengths() == null
                                ? null
                                : new ParameterSlice("strength", f.strengths(), chunk::rowsThatBroadcast));
            case ScoreFunction.General f -> new ProjectedRows(scope, given, own("weight", f.weight(), 2), null, heads);
            case ScoreFunction.Additive f
            when f.queryWeight() != null ->
                new ProjectedRows(
                        scope,
                        given,
                        own("queryWeight", f.queryWeight(), 2),
                        f.bias() == null ? null : own("bias", f.bias(), 1),
                        heads);
            case ScoreFunction.Concat f ->
                new ProjectedRows(
                        scope,
                        given,
                        own("weight", f.weight(), 2).and(w -> w.slice(w.rank() - 2, 0, width)),
                        null,
                        heads);
            default -> stored(scope, given);
        };
    }

    public LoweredRows keys(CallScope scope, DeviceTensor given) {
        long heads = chunk.shape().numHeads();
        long width = chunk.whole().headDim();
        return switch (score) {
            case ScoreFunction.Cosine ignored -> new NormalisedRows(scope, given, 1, null);
            case ScoreFunction.Location f ->
                new ColumnsAsKeys(
                        scope,
                        given,
                        own("weight", f.weight(), 2).and(w -> w.slice(w.rank() - 1, chunk.keyFrom(), chunk.keyTo())));
            case ScoreFunction.Additive f
            when f.keyWeight() != null ->
                new ProjectedRows(scope, given, own("keyWeight", f.keyWeight(), 2), null, heads);
            case ScoreFunction.Concat f ->
                new ProjectedRows(
                        scope,
                        given,
                        own("weight", f.weight(), 2).and(w -> w.slice(w.rank() - 2, width, w.size(w.rank() - 2))),
                        null,
                        heads);
            default -> stored(scope, given);
        };
    }

    public LoweredRows values(CallScope scope, DeviceTensor given) {
        AttentionShape s = chunk.shape();
        return ownKeys(score.pattern()) && s.groupSize() > 1
                ? new RepeatedHeads(scope, storedAs(scope, given), s.groupSize())
                : stored(scope, given);
    }

    private LoweredRows stored(CallScope scope, DeviceTensor given) {
        return LoweredRows.asGiven(storedAs(scope, given));
    }

    public DeviceTensor storedAs(CallScope scope, DeviceTensor given) {
        return scope.converted(given, storage(given.type(), score.pattern()));
    }

    /** {@return the parameter of the pairwise score for the query heads of the chunk; null for a dot product} */
    public @Nullable ParameterSlice scoreParameter() {
        return switch (score) {
            case ScoreFunction.Additive f -> own("vector", f.vector(), 1);
            case ScoreFunction.Concat f -> own("vector", f.vector(), 1);
            case ScoreFunction.Gaussian f -> {
                Tensor widths = f.widths();
                yield widths == null
                        ? new ParameterSlice("width", Tensor.of(new double[] {f.width()}, 1), w -> w)
                        : new ParameterSlice(
                                "width",
                                widths,
                                w -> w.size(0) == 1 ? w : w.slice(0, chunk.headFrom(), chunk.headTo()));
            }
            default -> null;
        };
    }

    /**
     * {@return a parameter for the query heads of the chunk}
     *
     * @param rank the number of axes if all query heads share the parameter; with one axis more, the first one is query heads
     */
    private ParameterSlice own(String name, Tensor parameter, int rank) {
        boolean perHead = parameter.rank() > rank;
        return new ParameterSlice(name, parameter, w -> perHead ? w.slice(0, chunk.headFrom(), chunk.headTo()) : w);
    }
}
