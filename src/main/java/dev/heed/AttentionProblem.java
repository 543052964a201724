package dev.heed;

import dev.heed.mask.Mask;
import dev.heed.mask.MaskPattern;
import dev.heed.score.ScoreKind;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * One attention without its data. Printed as a case string it is a test's name, a line that repeats a failure, and an
 * argument of the command line:
 *
 * <pre>
 * q2x32x128x64 kv8x512 dv80 f16 score=dot softcap=30.0 bias=1x1x128x512 alibi mask=causal:br&amp;keylens sink dropout=0.1 lse
 * weights rows=3 topk=8 scores=modified tf32
 * </pre>
 *
 * @param shape the sizes
 * @param type the type of query, key, value and output
 * @param kvType the type that keys and values are stored in: that of the query, or i8
 * @param score how a query meets a key, without the parameters
 * @param softcap the softcap, or null
 * @param biasShape the sizes of the bias, or null
 * @param alibi whether there are ALiBi slopes
 * @param maskPattern the mask without its data
 * @param sink whether there are attention sinks
 * @param dropout the probability of dropout
 * @param lse whether the LSE is kept
 * @param weights whether all weights are kept
 * @param rows of how many chosen rows the weights are kept
 * @param topK how many of the largest weights of each row are kept
 * @param scores the stage at which the scores are kept, or null
 * @param tf32 whether factors of f32 products may be rounded to TF32
 */
public record AttentionProblem(
        AttentionShape shape,
        DType type,
        DType kvType,
        ScorePattern score,
        @Nullable Double softcap,
        @Nullable List<Long> biasShape,
        boolean alibi,
        String maskPattern,
        boolean sink,
        double dropout,
        boolean lse,
        boolean weights,
        int rows,
        int topK,
        @Nullable ScoreStage scores,
        boolean tf32)
        implements Problem {

    private static final String GRAMMAR =
            "q<batch>x<heads>x<queries>x<width> kv<heads>x<keys> [dk<width>] [dv<width>] [f32|f64|f16|bf16] [kv=i8]"
                    + " [score=dot] [softcap=30] [bias=1x1x4x6] [alibi] [mask=causal:br&keylens] [sink] [dropout=0.1]"
                    + " [lse] [weights] [rows=2] [topk=4] [scores=score|softcapped|modified] [tf32]";

    /** Checks what the sizes allow. */
    public AttentionProblem {
        biasShape = biasShape == null ? null : List.copyOf(biasShape);
        if (!type.isFloating()) {
            throw new InvalidInputException(
                    "Attention computes with floating-point numbers",
                    "f32, f64, f16 or bf16",
                    type.label(),
                    "tensor.to(DType.F32)");
        }
        if (kvType != type
                && (kvType != DType.I8
                        || type == DType.F64
                        || (score.kind() != ScoreKind.DOT && score.kind() != ScoreKind.SCALED_DOT))) {
            throw new InvalidInputException(
                    "Keys and values cannot be stored so",
                    "the type of the query, or i8 under a dot product of f32, f16 or bf16",
                    kvType.label() + " under " + type.label() + ", score " + score,
                    "tensor.to(DType." + type + ")");
        }
        if (shape.keyHeadDim() != shape.headDim() && !score.kind().twoWidths()) {
            throw new InvalidInputException(
                    "Query and key have different widths",
                    "headDim " + shape.headDim() + " in both",
                    "headDim " + shape.headDim() + ", keyHeadDim " + shape.keyHeadDim() + ", score " + score,
                    "score=general, additive and concat take keys of a width of their own");
        }
        if (topK > shape.seqLenKv()) {
            throw new InvalidInputException(
                    "There are fewer keys than largest weights",
                    "topK <= " + shape.seqLenKv(),
                    "topK " + topK,
                    "withTopK(" + shape.seqLenKv() + ")");
        }
        if (rows < 0 || (biasShape != null && !broadcasts(biasShape, shape))) {
            throw new InvalidInputException(
                    "The rows or the bias do not fit",
                    "rows >= 0 and a bias that broadcasts to "
                            + CaseText.join(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv()),
                    "rows " + rows + ", bias " + biasShape,
                    "use size 1 for every axis that is shared");
        }
        // the same limits as the options, in the same words
        AttentionOptions limits = AttentionOptions.DEFAULT.withSoftcap(softcap).withTopK(topK);
        dropout = limits.withDropout(dropout, 0).dropout();
    }

    private static boolean broadcasts(List<Long> sizes, AttentionShape s) {
        long[] whole = {s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv()};
        int lead = whole.length - sizes.size();
        boolean fits = lead >= 0;
        for (int axis = 0; fits && axis < sizes.size(); axis++) {
            fits = sizes.get(axis) == 1 || sizes.get(axis) == whole[lead + axis];
        }
        return fits;
    }

    /**
     * {@return the problem that tensors of a shape and type pose with some options}
     *
     * @throws InvalidInputException if the options do not fit the shape
     */
    public static AttentionProblem of(AttentionShape shape, DType type, AttentionOptions options) {
        return of(shape, type, type, options);
    }

    /**
     * {@return the problem that tensors of a shape and types pose with some options}
     *
     * @throws InvalidInputException if the options do not fit the shape
     */
    public static AttentionProblem of(AttentionShape shape, DType type, DType kvType, AttentionOptions options) {
        Tensor bias = options.bias();
        return new AttentionProblem(
                shape,
                type,
                kvType,
                options.score().pattern(),
                options.softcap(),
                bias == null ? null : LongStream.of(bias.shape()).boxed().toList(),
                options.alibiSlopes() != null,
                options.mask().pattern(),
                options.sink() != null,
                options.dropout(),
                options.lse(),
                options.weights(),
                options.rows().size(),
                options.topK(),
                options.scores(),
                options.tf32());
    }

    /**
     * Reads a case string.
     *
     * @throws InvalidInputException if it is none
     */
    public static AttentionProblem parse(String caseString) {
        var words = new CaseText(caseString, GRAMMAR);
        long[] q = words.sizes(words.takeNumber("q"), 4);
        long[] kv = words.sizes(words.takeNumber("kv"), 2);
        String dk = words.takeNumber("dk");
        String dv = words.takeNumber("dv");
        long keyHeadDim = dk == null ? q[3] : words.sizes(dk, 1)[0];
        long valueHeadDim = dv == null ? q[3] : words.sizes(dv, 1)[0];
        String score = words.take("score=");
        String softcap = words.take("softcap=");
        String bias = words.take("bias=");
        String mask = words.take("mask=");
        String dropout = words.take("dropout=");
        String rows = words.take("rows=");
        String topK = words.take("topk=");
        String scores = words.take("scores=");
        String stored = words.take("kv=");
        DType type = words.takeType();
        var shape = new AttentionShape(q[0], q[1], kv[0], q[2], kv[1], q[3], keyHeadDim, valueHeadDim);
        var problem = new AttentionProblem(
                shape,
                type,
                stored == null ? type : DType.parse(stored),
                ScorePattern.parse(score == null ? "scaled-dot" : score),
                softcap == null ? null : words.number(softcap),
                bias == null
                        ? null
                        : LongStream.of(words.sizes(bias, 0)).boxed().toList(),
                words.takeFlag("alibi"),
                mask == null ? "none" : canonical(mask, shape),
                words.takeFlag("sink"),
                dropout == null ? 0 : words.number(dropout),
                words.takeFlag("lse"),
                words.takeFlag("weights"),
                rows == null ? 0 : words.integer(rows),
                topK == null ? 0 : words.integer(topK),
                scores == null ? null : stage(words, scores),
                words.takeFlag("tf32"));
        words.end();
        return problem;
    }

    /** The one spelling of a mask that fits the shape. */
    private static String canonical(String pattern, AttentionShape s) {
        Mask mask = MaskPattern.parse(pattern, new MaskPattern.Data() {
            @Override
            public long[] keyLengths() {
                return new long[Math.toIntExact(s.batch())];
            }

            @Override
            public Tensor dense(long... shape) {
                return Tensor.zeros(DType.BOOL, 1).expand(shape);
            }
        });
        mask.requireFits(s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        return mask.pattern();
    }

    private static ScoreStage stage(CaseText words, String name) {
        for (ScoreStage stage : ScoreStage.values()) {
            if (stage.name().toLowerCase(Locale.ROOT).equals(name)) {
                return stage;
            }
        }
        throw words.unreadable("\"scores=" + name + "\"");
    }

    @Override
    public double flops() {
        return shape.flops();
    }

    @Override
    public String toString() {
        var words = new StringJoiner(" ");
        words.add("q" + CaseText.join(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.headDim()));
        words.add("kv" + CaseText.join(shape.numKvHeads(), shape.seqLenKv()));
        if (shape.keyHeadDim() != shape.headDim()) {
            words.add("dk" + shape.keyHeadDim());
        }
        if (shape.valueHeadDim() != shape.headDim()) {
            words.add("dv" + shape.valueHeadDim());
        }
        words.add(type.label());
        if (kvType != type) {
            words.add("kv=" + kvType.label());
        }
        if (!score.toString().equals("scaled-dot")) {
            words.add("score=" + score);
        }
        if (softcap != null) {
            words.add("softcap=" + softcap);
        }
        if (biasShape != null) {
            words.add("bias=" + biasShape.stream().map(String::valueOf).collect(Collectors.joining("x")));
        }
        if (alibi) {
            words.add("alibi");
        }
        if (!maskPattern.equals("none")) {
            words.add("mask=" + maskPattern);
        }
        if (sink) {
            words.add("sink");
        }
        if (dropout != 0) {
            words.add("dropout=" + dropout);
        }
        if (lse) {
            words.add("lse");
        }
        if (weights) {
            words.add("weights");
        }
        if (rows != 0) {
            words.add("rows=" + rows);
        }
        if (topK != 0) {
            words.add("topk=" + topK);
        }
        if (scores != null) {
            words.add("scores=" + scores.name().toLowerCase(Locale.ROOT));
        }
        if (tf32) {
            words.add("tf32");
        }
        return words.toString();
    }
}
