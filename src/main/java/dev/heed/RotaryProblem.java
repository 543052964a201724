package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;

/**
 * The description of one rotary position embedding (Su et al. 2021, equation 34) without its data. An example of its case
 * string is {@code rotary 2x4x3x8 dim=4 interleaved positions f32}.
 *
 * @param batch the batch size
 * @param numHeads the number of heads
 * @param seqLen positions per head
 * @param headDim elements per head and position
 * @param rotaryDim the number of leading elements that are rotated; even, at most {@code headDim}
 * @param interleaved whether elements {@code (2i, 2i + 1)} are rotated together; otherwise {@code (i, i + rotaryDim / 2)}
 * @param positions whether a tensor of positions selects rows of the cosine and sine tables; otherwise the tables have one
 *     row for each batch entry and position
 * @param type the type of input and output
 */
public record RotaryProblem(
        long batch,
        long numHeads,
        long seqLen,
        long headDim,
        long rotaryDim,
        boolean interleaved,
        boolean positions,
        DType type)
        implements Problem {
    private static final String GRAMMAR =
            "rotary <batch>x<heads>x<positions>x<headDim> [dim=<rotaryDim>] [interleaved] [positions] [f32|f64|f16|bf16]";

    /** Checks the sizes and the type. */
    public RotaryProblem {
        if (Math.min(batch, Math.min(numHeads, seqLen)) < 1) {
            throw new InvalidInputException(
                    "Every size of a rotary embedding must be at least 1",
                    "sizes of 1 or more",
                    CaseText.join(batch, numHeads, seqLen, headDim),
                    "skip the call if there is nothing to compute");
        }
        if (rotaryDim < 2 || rotaryDim % 2 != 0 || rotaryDim > headDim || !type.isFloating()) {
            throw new InvalidInputException(
                    "A rotary embedding needs an even rotaryDim of at most headDim and a floating-point type",
                    "an even rotaryDim from 2 to " + headDim + ", f32, f64, f16 or bf16",
                    "rotaryDim " + rotaryDim + ", " + type.label(),
                    "rotaryDim " + (headDim - headDim % 2) + " rotates the whole head");
        }
    }

    static RotaryProblem parse(String caseString) {
        var words = new CaseText(caseString, GRAMMAR);
        words.takeFlag("rotary");
        long[] x = words.sizes(words.takeNumber(""), 4);
        String dim = words.take("dim=");
        var problem = new RotaryProblem(
                x[0],
                x[1],
                x[2],
                x[3],
                dim == null ? x[3] : words.sizes(dim, 1)[0],
                words.takeFlag("interleaved"),
                words.takeFlag("positions"),
                words.takeType());
        words.end();
        return problem;
    }

    @Override
    public double flops() {
        return 3.0 * batch * numHeads * seqLen * rotaryDim;
    }

    @Override
    public String toString() {
        return "rotary " + CaseText.join(batch, numHeads, seqLen, headDim)
                + (rotaryDim == headDim ? "" : " dim=" + rotaryDim) + (interleaved ? " interleaved" : "")
                + (positions ? " positions" : "") + " " + type.label();
    }
}
