package dev.heed.cli;

import dev.heed.AttentionProblem;
import dev.heed.LinearProblem;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tuning.MeasuredTable;
import dev.heed.verify.Case;
import java.util.List;

/**
 * Sizes that are measured together, and stored as one row of a table.
 *
 * @param title the sizes in words
 * @param table the table of the row
 * @param keys the row up to its first number
 * @param cases the cases that are timed; the time of a candidate is their geometric mean
 * @param candidates the candidates, written as for {@code --tiles}
 */
record TuneSubject(String title, MeasuredTable table, String keys, List<String> cases, List<String> candidates) {

    /** {@return the error for a case that has no tiles} */
    static InvalidInputException withoutTiles(String text, String expected) {
        return new InvalidInputException(
                "This case has no tiles", expected, text, "heed tune --case \"q1x8x1024x64 kv8x1024 f32\"");
    }

    /** {@return a small case of the same kind for the check; its lengths are not multiples of any tile size} */
    static String raggedCase(Case timed) {
        return switch (timed.problem()) {
            case AttentionProblem p ->
                "q1x2x131x" + p.shape().headDim() + " kv1x261 dv" + p.shape().valueHeadDim() + " "
                        + p.type().label() + " mask=causal:br lse poison"
                        + (p.outputs().onlyOutputAndLse() || timed.backward() ? "" : " weights topk=3")
                        + (timed.backward() ? " backward" : "");
            case LinearProblem p ->
                "linear 131x67x" + Math.min(p.out(), 261) + " bias " + p.type().label() + " backward";
            default -> "mha in=67x67x67 out=69 biases=qkvo q1x3x131x11 kv3x131 f32 backward";
        };
    }
}
