package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The description of one multi-head attention without its data. Its case string consists of {@code mha}, the embedding
 * sizes of query, key, value and output, the projections with biases (letters of {@code qkvo}), and the inner attention,
 * for example {@code mha in=384x384x384 out=384 biases=qkvo q1x12x16x32 kv12x16 f32}. Immutable and compared by value.
 */
public final class MultiHeadProblem implements Problem {
    private final long embedQ;
    private final long embedK;
    private final long embedV;
    private final long embedOut;
    private final boolean queryBias;
    private final boolean keyBias;
    private final boolean valueBias;
    private final boolean outputBias;
    private final AttentionProblem attention;

    private static final String GRAMMAR =
            "mha in=<width>x<width>x<width> out=<width> [biases=qkvo] and an attention case";

    private MultiHeadProblem(
            long embedQ,
            long embedK,
            long embedV,
            long embedOut,
            boolean queryBias,
            boolean keyBias,
            boolean valueBias,
            boolean outputBias,
            AttentionProblem attention) {
        InvalidInputException.requirePresent("attention", attention, "AttentionProblem.of(shape, type, options)");
        if (Math.min(Math.min(embedQ, embedK), Math.min(embedV, embedOut)) < 1) {
            throw new InvalidInputException(
                    "Every width must be at least 1",
                    "widths of 1 or more",
                    "in=" + CaseText.join(embedQ, embedK, embedV) + " out=" + embedOut,
                    "in=384x384x384 out=384");
        }
        if (attention.outputs().partial() != null) {
            throw new InvalidInputException(
                    "Multi-head attention has no partial results, because its output is projected",
                    "an output in the type of the query",
                    "partial",
                    "withPartial() belongs to Attention.scaledDotProduct");
        }
        this.embedQ = embedQ;
        this.embedK = embedK;
        this.embedV = embedV;
        this.embedOut = embedOut;
        this.queryBias = queryBias;
        this.keyBias = keyBias;
        this.valueBias = valueBias;
        this.outputBias = outputBias;
        this.attention = attention;
    }

    /**
     * {@return a problem whose projections have no biases}
     *
     * @throws InvalidInputException if an embedding size is not positive
     */
    public static MultiHeadProblem of(
            long embedQ, long embedK, long embedV, long embedOut, AttentionProblem attention) {
        return new MultiHeadProblem(embedQ, embedK, embedV, embedOut, false, false, false, false, attention);
    }

    /** {@return the same problem with biases for the projections whose argument is true, and only these} */
    public MultiHeadProblem withBiases(boolean ofQuery, boolean ofKey, boolean ofValue, boolean ofOutput) {
        return new MultiHeadProblem(embedQ, embedK, embedV, embedOut, ofQuery, ofKey, ofValue, ofOutput, attention);
    }

    /** {@return the embedding size of the query input} */
    public long embedQ() {
        return embedQ;
    }

    /** {@return the embedding size of the key input} */
    public long embedK() {
        return embedK;
    }

    /** {@return the embedding size of the value input} */
    public long embedV() {
        return embedV;
    }

    /** {@return the embedding size of the output} */
    public long embedOut() {
        return embedOut;
    }

    /** {@return whether the query projection has a bias} */
    public boolean queryBias() {
        return queryBias;
    }

    /** {@return whether the key projection has a bias} */
    public boolean keyBias() {
        return keyBias;
    }

    /** {@return whether the value projection has a bias} */
    public boolean valueBias() {
        return valueBias;
    }

    /** {@return whether the output projection has a bias} */
    public boolean outputBias() {
        return outputBias;
    }

    /** {@return the inner attention, between the projections} */
    public AttentionProblem attention() {
        return attention;
    }

    @Override
    public DType type() {
        return attention.type();
    }

    static MultiHeadProblem parse(String caseString) {
        var words = new CaseText(caseString, GRAMMAR);
        words.takeFlag("mha");
        long[] in = words.sizes(words.take("in="), 3);
        long[] out = words.sizes(words.take("out="), 1);
        @Nullable String biases = words.take("biases=");
        String letters = biases == null ? "" : biases;
        if (!letters.matches("q?k?v?o?")) {
            throw words.unreadable("\"biases=" + letters + "\"");
        }
        return new MultiHeadProblem(
                in[0],
                in[1],
                in[2],
                out[0],
                letters.contains("q"),
                letters.contains("k"),
                letters.contains("v"),
                letters.contains("o"),
                AttentionProblem.parse(words.rest()));
    }

    /** {@return the shape of the output, {@code [batch, seqLenQ, embedOut]}} */
    public long[] outputShape() {
        AttentionShape s = attention.shape();
        return new long[] {s.batch(), s.seqLenQ(), embedOut};
    }

    @Override
    public double flops() {
        AttentionShape s = attention.shape();
        double queryRows = 2.0 * s.batch() * s.seqLenQ();
        double keyRows = 2.0 * s.batch() * s.seqLenKv();
        return attention.flops()
                + queryRows * s.numHeads() * ((double) embedQ * s.headDim() + (double) embedOut * s.valueHeadDim())
                + keyRows * s.numKvHeads() * ((double) embedK * s.headDim() + (double) embedV * s.valueHeadDim());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MultiHeadProblem p
                && embedQ == p.embedQ
                && embedK == p.embedK
                && embedV == p.embedV
                && embedOut == p.embedOut
                && queryBias == p.queryBias
                && keyBias == p.keyBias
                && valueBias == p.valueBias
                && outputBias == p.outputBias
                && attention.equals(p.attention);
    }

    @Override
    public int hashCode() {
        return Objects.hash(embedQ, embedK, embedV, embedOut, queryBias, keyBias, valueBias, outputBias, attention);
    }

    @Override
    public String toString() {
        String biases =
                (queryBias ? "q" : "") + (keyBias ? "k" : "") + (valueBias ? "v" : "") + (outputBias ? "o" : "");
        return "mha in=" + CaseText.join(embedQ, embedK, embedV) + " out=" + embedOut
                + (biases.isEmpty() ? "" : " biases=" + biases) + " " + attention;
    }
}
