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
import java.util.Objects;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The description of one attention without its data: shape, types and options. {@code toString} returns the case
 * string, a text that names a test, reproduces a failure, and is accepted on the command line:
 *
 * <pre>
 * q2x32x128x64 kv8x512 dv80 f16 score=dot softcap=30.0 bias=1x1x128x512 alibi mask=causal:br&amp;keylens sink dropout=0.1 lse
 * weights rows=3 topk=8 scores=modified tf32
 * </pre>
 *
 * <p>Immutable and compared by value.
 */
public final class AttentionProblem implements Problem {
    private final AttentionShape shape;
    private final DType type;
    private final DType kvType;
    private final ScorePattern score;
    private final @Nullable Double softcap;
    private final @Nullable List<Long> biasShape;
    private final boolean alibi;
    private final String maskPattern;
    private final boolean sink;
    private final double dropout;
    private final boolean tf32;
    private final AttentionOutputs outputs;

    private static final String GRAMMAR =
            "q<batch>x<heads>x<queries>x<headDim> kv<heads>x<keys> [dk<keyHeadDim>] [dv<valueHeadDim>] [f32|f64|f16|bf16] [kv=i8]"
                    + " [score=dot] [softcap=30] [bias=1x1x4x6] [alibi] [mask=causal:br&keylens] [sink] [dropout=0.1]"
                    + " [lse] [weights] [rows=2] [topk=4] [scores=score|softcapped|modified] [partial|partial=f64] [tf32]";

    /** Checks the types and options against the shape. */
    AttentionProblem(
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
            boolean tf32,
            AttentionOutputs outputs) {
        if (!type.isFloating()) {
            throw new InvalidInputException(
                    "The type of an attention must be floating-point",
                    "f32, f64, f16 or bf16",
                    type.label(),
                    "tensor.to(DType.F32)");
        }
        if (kvType != type
                && (kvType != DType.I8
                        || type == DType.F64
                        || (score.kind() != ScoreKind.DOT && score.kind() != ScoreKind.SCALED_DOT))) {
            throw new InvalidInputException(
                    "Keys and values cannot be stored in this type",
                    "the type of the query, or i8 under a dot product of f32, f16 or bf16",
                    kvType.label() + " under " + type.label() + ", score " + score,
                    "tensor.to(DType." + type + ")");
        }
        if (shape.keyHeadDim() != shape.headDim() && !score.kind().twoWidths()) {
            throw new InvalidInputException(
                    "Query and key differ in headDim",
                    "headDim " + shape.headDim() + " in both",
                    "headDim " + shape.headDim() + ", keyHeadDim " + shape.keyHeadDim() + ", score " + score,
                    "score=general, additive and concat accept another keyHeadDim");
        }
        if (outputs.topK() > shape.seqLenKv()) {
            throw new InvalidInputException(
                    "topK is larger than the number of keys",
                    "topK <= " + shape.seqLenKv(),
                    "topK " + outputs.topK(),
                    "withTopK(" + shape.seqLenKv() + ")");
        }
        if (outputs.partial() != null && (sink || dropout > 0)) {
            throw new InvalidInputException(
                    "A partial result has no " + (sink ? "sink" : "dropout"),
                    "a partial result without sink and dropout",
                    "partial, " + (sink ? "sink" : "dropout=" + dropout),
                    sink
                            ? "withSink(null) in every call, then AttentionStates.addSink(logits) once"
                            : "withDropout(0, 0), or one call over all keys");
        }
        if (biasShape != null && !broadcasts(biasShape, shape)) {
            throw new InvalidInputException(
                    "The bias does not fit",
                    "a bias that broadcasts to "
                            + CaseText.join(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv()),
                    "bias " + biasShape,
                    "use size 1 for every axis that is shared");
        }
        this.shape = shape;
        this.type = type;
        this.kvType = kvType;
        this.score = score;
        // AttentionRules checks softcap and dropout, so problems and options give the same messages
        AttentionRules limits = AttentionRules.DEFAULT.withSoftcap(softcap).withDropout(dropout, 0);
        this.softcap = limits.softcap();
        this.dropout = limits.dropout();
        this.biasShape = biasShape == null ? null : List.copyOf(biasShape);
        this.alibi = alibi;
        this.maskPattern = maskPattern;
        this.sink = sink;
        this.tf32 = tf32;
        this.outputs = outputs.withoutRowNumbers();
        RepresentableNumbers.require(outputType(), score, softcap);
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
     * {@return the problem of an attention of this shape with these options} {@code type} is the type of query, key, value
     * and output.
     *
     * @throws InvalidInputException if the options do not fit the shape
     */
    public static AttentionProblem of(AttentionShape shape, DType type, AttentionOptions options) {
        return of(shape, type, type, options);
    }

    /**
     * {@return the problem of an attention of this shape with these options} {@code type} is the type of query and output,
     * {@code kvType} the storage type of keys and values.
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
                options.tf32(),
                options.outputs());
    }

    /**
     * {@return the same problem with another score function, shape and type; keys and values have the same type} Lowering
     * uses it to compute one score function as another one, on rewritten queries and keys.
     */
    public AttentionProblem withScore(ScorePattern otherScore, AttentionShape otherShape, DType otherType) {
        return new AttentionProblem(
                otherShape,
                otherType,
                otherType,
                otherScore,
                softcap,
                biasShape,
                alibi,
                maskPattern,
                sink,
                dropout,
                tf32,
                outputs);
    }

    /** {@return the same problem with other optional outputs; only the number of chosen rows is stored} */
    public AttentionProblem withOutputs(AttentionOutputs other) {
        return new AttentionProblem(
                shape, type, kvType, score, softcap, biasShape, alibi, maskPattern, sink, dropout, tf32, other);
    }

    /**
     * Reads a case string.
     *
     * @throws InvalidInputException if it is not a case string of an attention
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
        String partial = words.take("partial=");
        DType type = words.takeType();
        var shape = new AttentionShape(q[0], q[1], kv[0], q[2], kv[1], q[3], keyHeadDim, valueHeadDim);
        AttentionOutputs outputs = AttentionOutputs.NONE
                .withLse(words.takeFlag("lse"))
                .withWeights(words.takeFlag("weights"))
                .withRows(LongStream.range(0, rows == null ? 0 : count(words, rows))
                        .toArray())
                .withTopK(topK == null ? 0 : words.integer(topK))
                .withScores(scores == null ? null : stage(words, scores))
                .withPartial(partial != null ? DType.parse(partial) : words.takeFlag("partial") ? DType.F32 : null);
        var problem = new AttentionProblem(
                shape,
                type,
                stored == null ? type : DType.parse(stored),
                canonical(ScorePattern.parse(score == null ? "scaled-dot" : score), shape),
                softcap == null ? null : words.number(softcap),
                bias == null
                        ? null
                        : LongStream.of(words.sizes(bias, 0)).boxed().toList(),
                words.takeFlag("alibi"),
                mask == null ? "none" : canonical(mask, shape),
                words.takeFlag("sink"),
                dropout == null ? 0 : words.number(dropout),
                words.takeFlag("tf32"),
                outputs);
        words.end();
        return problem;
    }

    /** {@return the pattern as its score function writes it: one learned width is not per head} */
    private static ScorePattern canonical(ScorePattern score, AttentionShape s) {
        return score.kind() == ScoreKind.GAUSSIAN && score.perHead() && s.numHeads() == 1
                ? ScorePattern.parse("gaussian:learned")
                : score;
    }

    /** {@return the canonical spelling of a mask, which must fit the shape} */
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

    private static int count(CaseText words, String rows) {
        int count = words.integer(rows);
        if (count < 0) {
            throw words.unreadable("\"rows=" + rows + "\"");
        }
        return count;
    }

    private static ScoreStage stage(CaseText words, String name) {
        for (ScoreStage stage : ScoreStage.values()) {
            if (stage.name().toLowerCase(Locale.ROOT).equals(name)) {
                return stage;
            }
        }
        throw words.unreadable("\"scores=" + name + "\"");
    }

    /** {@return the shape: batch size, numbers of heads, lengths and head dimensions} */
    public AttentionShape shape() {
        return shape;
    }

    /** {@return the type of the query, and of key and value unless they are stored as i8} See {@link #outputType}. */
    @Override
    public DType type() {
        return type;
    }

    /**
     * {@return the type of the output} It is the type of the query, except for partial results: f64 if they are requested in
     * f64, else the {@linkplain DType#accumulator accumulator type}. LSE, weights and scores have the accumulator type of the
     * output's type.
     */
    public DType outputType() {
        DType partial = outputs.partial();
        return partial == null ? type : partial == DType.F64 ? DType.F64 : type.accumulator();
    }

    /** {@return the storage type of keys and values: the type of the query, or i8} */
    public DType kvType() {
        return kvType;
    }

    /** {@return the score function without its parameters} */
    public ScorePattern score() {
        return score;
    }

    /** {@return the softcap, or null} */
    public @Nullable Double softcap() {
        return softcap;
    }

    /** {@return the shape of the bias, or null} */
    public @Nullable List<Long> biasShape() {
        return biasShape;
    }

    /** {@return whether there are ALiBi slopes} */
    public boolean alibi() {
        return alibi;
    }

    /** {@return the mask without its data, as {@link Mask#pattern} spells it} */
    public String maskPattern() {
        return maskPattern;
    }

    /** {@return whether there are attention sinks} */
    public boolean sink() {
        return sink;
    }

    /** {@return the dropout probability} */
    public double dropout() {
        return dropout;
    }

    /** {@return whether factors of f32 products may be rounded to TF32} */
    public boolean tf32() {
        return tf32;
    }

    /** {@return the optional outputs; a problem stores only the number of chosen rows, so the rows are 0, 1, ...} */
    public AttentionOutputs outputs() {
        return outputs;
    }

    /** {@return whether the LSE is written} */
    public boolean lse() {
        return outputs.lse();
    }

    /** {@return whether all weights are written} */
    public boolean weights() {
        return outputs.weights();
    }

    /** {@return the number of chosen rows whose weights are written} */
    public int rows() {
        return outputs.rows().size();
    }

    /** {@return the number of largest weights written per row; 0 for none} */
    public int topK() {
        return outputs.topK();
    }

    /** {@return the stage at which the scores are written, or null} */
    public @Nullable ScoreStage scores() {
        return outputs.scores();
    }

    @Override
    public double flops() {
        return shape.flops();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionProblem p
                && shape.equals(p.shape)
                && type == p.type
                && kvType == p.kvType
                && score.equals(p.score)
                && Objects.equals(softcap, p.softcap)
                && Objects.equals(biasShape, p.biasShape)
                && alibi == p.alibi
                && maskPattern.equals(p.maskPattern)
                && sink == p.sink
                && Double.compare(dropout, p.dropout) == 0
                && tf32 == p.tf32
                && outputs.equals(p.outputs);
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                shape, type, kvType, score, softcap, biasShape, alibi, maskPattern, sink, dropout, tf32, outputs);
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
        if (lse()) {
            words.add("lse");
        }
        if (weights()) {
            words.add("weights");
        }
        if (rows() != 0) {
            words.add("rows=" + rows());
        }
        if (topK() != 0) {
            words.add("topk=" + topK());
        }
        ScoreStage scores = scores();
        if (scores != null) {
            words.add("scores=" + scores.name().toLowerCase(Locale.ROOT));
        }
        DType partial = outputs.partial();
        if (partial != null) {
            words.add(partial == DType.F64 ? "partial=f64" : "partial");
        }
        if (tf32) {
            words.add("tf32");
        }
        return words.toString();
    }
}
