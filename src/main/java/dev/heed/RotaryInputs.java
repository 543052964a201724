package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one rotary position embedding, checked against each other.
 *
 * @param input {@code [batch, numHeads, seqLen, headDim]}, any strides
 * @param cos the cosines: a table {@code [maxPosition, rotaryDim / 2]} if positions are given, otherwise {@code [batch,
 *     seqLen, rotaryDim / 2]}
 * @param sin the sines, in the shape of {@code cos}
 * @param positions i64 or i32 {@code [batch, seqLen]}, indices of table rows, or null
 * @param problem the problem: sizes and type without the data
 */
public record RotaryInputs(
        Tensor input, Tensor cos, Tensor sin, @Nullable Tensor positions, RotaryProblem problem) {

    /**
     * {@return the inputs of one rotary embedding; {@code rotaryDim} is twice the last size of {@code cos}}
     *
     * @param interleaved whether elements {@code (2i, 2i + 1)} are rotated together; otherwise {@code (i, i + rotaryDim / 2)}
     * @throws InvalidInputException if the tensors do not fit each other
     */
    public static RotaryInputs of(
            Tensor input, Tensor cos, Tensor sin, @Nullable Tensor positions, boolean interleaved) {
        InputCheck.readable("input", input);
        InputCheck.readable("cos", cos);
        if (input.rank() != 4 || cos.rank() < 1) {
            throw new InvalidInputException(
                    "The input or a table of a rotary embedding has the wrong number of axes",
                    "input [batch, heads, positions, width]",
                    input.toString(),
                    "Layout.packed(tensor, numHeads) splits [batch, positions, heads * width]");
        }
        var problem = new RotaryProblem(
                input.size(0),
                input.size(1),
                input.size(2),
                input.size(3),
                2 * cos.size(-1),
                interleaved,
                positions != null,
                input.type());
        return new RotaryInputs(input, cos, sin, positions, problem);
    }

    /** Checks the tensors against the problem. Prefer {@link #of}, which derives the problem from the tensors. */
    public RotaryInputs {
        try {
            requireFits(input, cos, sin, positions, problem);
        } catch (InvalidInputException e) {
            throw e.in(problem.toString());
        }
    }

    private static void requireFits(Tensor input, Tensor cos, Tensor sin, @Nullable Tensor positions, RotaryProblem p) {
        InputCheck.readable("sin", sin);
        InputCheck.input("input", input, p.type(), p.batch(), p.numHeads(), p.seqLen(), p.headDim());
        long half = p.rotaryDim() / 2;
        if (positions == null) {
            InputCheck.floating("cos", cos, p.batch(), p.seqLen(), half);
            InputCheck.floating("sin", sin, p.batch(), p.seqLen(), half);
            return;
        }
        long rows = cos.size(0);
        InputCheck.floating("cos", cos, rows, half);
        InputCheck.floating("sin", sin, rows, half);
        DType type = positions.type().isInteger() ? positions.type() : DType.I64;
        InputCheck.input("positions", positions, type, p.batch(), p.seqLen());
        for (long b = 0; b < p.batch(); b++) {
            for (long s = 0; s < p.seqLen(); s++) {
                double position = positions.get(b, s);
                if (position < 0 || position >= rows) {
                    throw new InvalidInputException(
                            "A position is outside the table",
                            "positions from 0 to " + (rows - 1),
                            (long) position + " at [" + b + ", " + s + "]",
                            "make the cos and sin tables longer");
                }
            }
        }
    }
}
