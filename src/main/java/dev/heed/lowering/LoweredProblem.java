package dev.heed.lowering;

import dev.heed.Activation;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.score.ScoreKind;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * The lowered form of an attention problem whose score function is computed by rewriting rows: an inner attention problem
 * with a simpler score function, and the linear layers that rewrite query and key rows. In the table, q is a query and h a
 * key.
 *
 * <pre>
 * score      rewritten rows              score of the inner attention
 * cosine     rows of length 1            scaled-dot; dot if the strength is a tensor, which then multiplies the queries
 * general    q W                         dot
 * location   columns of W as keys        dot
 * additive   q W + b and h U             additive:plain
 * concat     as additive, W cut in two   additive:plain
 * </pre>
 *
 * @param inner the attention on the rewritten rows, in f32 for f16 and bf16 problems
 * @param projections the linear layers that rewrite rows
 */
public record LoweredProblem(AttentionProblem inner, List<LinearProblem> projections) {
    /** Creates a lowered problem with a copy of the list of projections. */
    public LoweredProblem {
        projections = List.copyOf(projections);
    }

    /** {@return whether a score function is computed by rewriting rows} */
    public static boolean rewrites(ScorePattern score) {
        return switch (score.kind()) {
            case COSINE, GENERAL, LOCATION, CONCAT -> true;
            case ADDITIVE -> !plain(score);
            case DOT, SCALED_DOT, GAUSSIAN, CUSTOM -> false;
        };
    }

    /** {@return the lowered form of a problem} */
    public static LoweredProblem of(AttentionProblem p) {
        ScorePattern score = p.score();
        AttentionShape s = p.shape();
        DType type = p.type().accumulator();
        List<LinearProblem> projections = new ArrayList<>();
        String left = "dot";
        long width = s.headDim();
        switch (score.kind()) {
            case COSINE -> left = learned(score) ? "dot" : "scaled-dot:" + score.number();
            case GENERAL -> {
                width = s.keyHeadDim();
                projections.add(queries(p, width, false));
            }
            case LOCATION -> {}
            case ADDITIVE, CONCAT -> {
                width = score.sizes()[0];
                left = score.perHead() ? "additive:plain,heads" : "additive:plain";
                projections.add(queries(p, width, score.has("bias")));
                projections.add(linear(rows(s.batch(), s.numKvHeads(), s.seqLenKv(), score), s.keyHeadDim(), width, p));
            }
            default -> throw new IllegalArgumentException(score + " is not rewritten");
        }
        boolean keysOfTheirOwn = score.perHead() && score.kind() != ScoreKind.GENERAL;
        var shape = new AttentionShape(
                s.batch(),
                s.numHeads(),
                keysOfTheirOwn ? s.numHeads() : s.numKvHeads(),
                s.seqLenQ(),
                s.seqLenKv(),
                width,
                s.valueHeadDim());
        return new LoweredProblem(p.withScore(ScorePattern.parse(left), shape, type), projections);
    }

    private static LinearProblem queries(AttentionProblem p, long width, boolean bias) {
        AttentionShape s = p.shape();
        long rows = rows(s.batch(), s.numHeads(), s.seqLenQ(), p.score());
        DType type = p.type().accumulator();
        return new LinearProblem(rows, s.headDim(), width, bias, Activation.IDENTITY, type);
    }

    private static LinearProblem linear(long rows, long in, long out, AttentionProblem p) {
        return new LinearProblem(
                rows, in, out, false, Activation.IDENTITY, p.type().accumulator());
    }

    /** {@return the number of rows of one product: the rows of all heads, or of one head if each head has its own matrix} */
    private static long rows(long batch, long heads, long length, ScorePattern score) {
        return Math.multiplyExact(batch, score.perHead() ? length : Math.multiplyExact(heads, length));
    }

    private static boolean plain(ScorePattern score) {
        return score.has("plain");
    }

    static boolean learned(ScorePattern cosine) {
        return cosine.has("learned");
    }
}
