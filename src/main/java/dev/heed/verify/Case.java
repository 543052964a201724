package dev.heed.verify;

import dev.heed.AttentionProblem;
import dev.heed.Problem;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A problem and the recipe for its random data, which make a check repeatable on any machine. The text of a case is the
 * case string of the problem followed by the words {@code seed=7 values=large layout=padded params=f64 poison backward};
 * defaults are left out.
 *
 * @param problem the problem to compute
 * @param seed the seed of the random inputs; 1 by default
 * @param values the distribution of the inputs
 * @param placement the memory layout of the tensors
 * @param parameters the type of bias, slopes, sink and parameters of the score function of an attention, or null for the type
 *     in which the problem's sums are computed
 * @param poison whether keys and values that no query attends to are NaN
 * @param backward whether the gradients are checked too
 */
public record Case(
        Problem problem,
        long seed,
        Values values,
        Placement placement,
        @Nullable DType parameters,
        boolean poison,
        boolean backward) {

    /**
     * The distribution of the inputs. It does not apply to the values of an attention problem, to parameters such as
     * weights and biases, or to options such as the bias and the sink.
     */
    public enum Values {
        /** Standard normal. */
        NORMAL(1),
        /** Standard normal times 5: weights are close to one-hot. */
        LARGE(5),
        /** Standard normal times 300: scores are in the tens of thousands, and every weight is 0 or 1. */
        HUGE(300),
        /** All inputs are 0.5: weights are uniform. */
        CONSTANT(0);

        final double spread;

        Values(double spread) {
            this.spread = spread;
        }
    }

    /**
     * Checks the type of the parameters, and that the gradients exist.
     *
     * @throws InvalidInputException if the parameters do not have a floating-point type, or if gradients of i8 keys and
     *     values are requested
     */
    public Case {
        if (parameters != null && !parameters.isFloating()) {
            throw new InvalidInputException(
                    "Parameters are floating-point numbers",
                    "params=f32, f64, f16 or bf16",
                    "params=" + parameters.label(),
                    "leave params= out for the type of the sums");
        }
        if (backward && problem instanceof AttentionProblem p && p.kvType() == DType.I8) {
            throw new InvalidInputException(
                    "Keys and values of bytes have no gradient",
                    "a case without backward, or without kv=i8",
                    problem + " backward",
                    "train with a floating-point type, then quantise keys and values");
        }
    }

    /** {@return a case with seed 1 and standard normal inputs in contiguous tensors, forward only} */
    public static Case of(Problem problem) {
        return new Case(problem, 1, Values.NORMAL, Placement.BHSD, null, false, false);
    }

    /** {@return this case with another seed} */
    public Case withSeed(long other) {
        return new Case(problem, other, values, placement, parameters, poison, backward);
    }

    /**
     * Parses the text of a case.
     *
     * @throws InvalidInputException if the text is not a case
     */
    public static Case parse(String text) {
        List<String> words = new ArrayList<>(Arrays.asList(text.strip().split("\\s+")));
        long seed = 1;
        Values values = Values.NORMAL;
        Placement placement = Placement.BHSD;
        String seedWord = take(words, "seed=");
        String valuesWord = take(words, "values=");
        String layoutWord = take(words, "layout=");
        String parametersWord = take(words, "params=");
        DType parameters = parametersWord == null ? null : DType.parse(parametersWord);
        try {
            seed = seedWord == null ? seed : Long.parseLong(seedWord);
            values = valuesWord == null ? values : Values.valueOf(valuesWord.toUpperCase(Locale.ROOT));
            placement = layoutWord == null ? placement : Placement.valueOf(layoutWord.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new InvalidInputException(
                    "The recipe of the case cannot be read",
                    "seed=<number>, values=normal|large|huge|constant, layout=bhsd|bshd|padded|native|mixed, params=f32|f64|f16|bf16, poison, backward",
                    text,
                    "leave the words out for standard normal inputs in contiguous tensors");
        }
        boolean poison = words.remove("poison");
        boolean backward = words.remove("backward");
        Problem problem = Problem.parse(String.join(" ", words));
        return new Case(problem, seed, values, placement, parameters, poison, backward);
    }

    private static @Nullable String take(List<String> words, String prefix) {
        for (String word : words) {
            if (word.startsWith(prefix)) {
                words.remove(word);
                return word.substring(prefix.length());
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return problem
                + (seed == 1 ? "" : " seed=" + seed)
                + (values == Values.NORMAL ? "" : " values=" + values.name().toLowerCase(Locale.ROOT))
                + (placement == Placement.BHSD
                        ? ""
                        : " layout=" + placement.name().toLowerCase(Locale.ROOT))
                + (parameters == null ? "" : " params=" + parameters.label())
                + (poison ? " poison" : "")
                + (backward ? " backward" : "");
    }
}
