package dev.heed;

import dev.heed.tensor.InvalidInputException;
import org.jspecify.annotations.Nullable;

/**
 * One multi-head attention without its data. As a case string it is {@code mha}, the widths of the inputs and the output,
 * which projections have biases (letters of {@code qkvo}), and the attention between: {@code mha in=384x384x384 out=384
 * biases=qkvo q1x12x16x32 kv12x16 f32}.
 *
 * @param embedQ width of the query input
 * @param embedK width of the key input
 * @param embedV width of the value input
 * @param embedOut width of the output
 * @param queryBias whether the query projection has a bias
 * @param keyBias whether the key projection has a bias
 * @param valueBias whether the value projection has a bias
 * @param outputBias whether the output projection has a bias
 * @param attention the attention between the projections
 */
public record MultiHeadProblem(
        long embedQ,
        long embedK,
        long embedV,
        long embedOut,
        boolean queryBias,
        boolean keyBias,
        boolean valueBias,
        boolean outputBias,
        AttentionProblem attention)
        implements Problem {
    private static final String GRAMMAR =
            "mha in=<width>x<width>x<width> out=<width> [biases=qkvo] and an attention case";

    /** Checks the widths. */
    public MultiHeadProblem {
        if (Math.min(Math.min(embedQ, embedK), Math.min(embedV, embedOut)) < 1) {
            throw new InvalidInputException(
                    "Every width is at least 1",
                    "widths of 1 or more",
                    "in=" + CaseText.join(embedQ, embedK, embedV) + " out=" + embedOut,
                    "in=384x384x384 out=384");
        }
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

    /** {@return the sizes of the output: batch, seqLenQ, embedOut} */
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
    public String toString() {
        String biases =
                (queryBias ? "q" : "") + (keyBias ? "k" : "") + (valueBias ? "v" : "") + (outputBias ? "o" : "");
        return "mha in=" + CaseText.join(embedQ, embedK, embedV) + " out=" + embedOut
                + (biases.isEmpty() ? "" : " biases=" + biases) + " " + attention;
    }
}
