package dev.heed.score;

import dev.heed.tensor.InvalidInputException;
import org.jspecify.annotations.Nullable;

/**
 * How a query {@code s} meets a key {@code h}. Every backend maps the functions by an exhaustive switch, so the compiler
 * lists the work that a new one brings.
 */
public sealed interface ScoreFunction {
    /** {@return {@code s.h / sqrt(headDim)}} */
    static ScoreFunction scaledDot() {
        return new ScaledDot(null);
    }

    /**
     * {@return {@code scale * s.h}}
     *
     * @throws InvalidInputException if the scale is not finite
     */
    static ScoreFunction scaledDot(double scale) {
        return new ScaledDot(scale);
    }

    /** {@return {@code s.h}} */
    static ScoreFunction dot() {
        return new Dot();
    }

    /** {@return the spelling in case strings} */
    String pattern();

    /**
     * Scaled dot product: {@code score = scale * s.h} (Vaswani et al. 2017, equation 1).
     *
     * @param scale the factor, or null for {@code 1 / sqrt(headDim)}
     */
    record ScaledDot(@Nullable Double scale) implements ScoreFunction {
        /** Checks the scale. */
        public ScaledDot {
            if (scale != null && !Double.isFinite(scale)) {
                throw new InvalidInputException(
                        "The scale is not a finite number",
                        "a finite scale",
                        String.valueOf(scale),
                        "leave it out for 1/sqrt(headDim)");
            }
        }

        @Override
        public String pattern() {
            return scale == null ? "scaled-dot" : "scaled-dot:" + scale;
        }
    }

    /** Dot product: {@code score = s.h} (Luong et al. 2015, section 3.1). */
    record Dot() implements ScoreFunction {
        @Override
        public String pattern() {
            return "dot";
        }
    }

    /** {@return the factor before {@code s.h}} */
    default double scale(long headDim) {
        return switch (this) {
            case ScaledDot(Double scale) when scale != null -> scale;
            case ScaledDot ignored -> 1 / Math.sqrt(headDim);
            case Dot ignored -> 1;
        };
    }

    /**
     * Reads a {@link #pattern}.
     *
     * @throws InvalidInputException if it is none
     */
    static ScoreFunction parse(String pattern) {
        try {
            if (pattern.startsWith("scaled-dot:")) {
                return scaledDot(Double.parseDouble(pattern.substring("scaled-dot:".length())));
            }
        } catch (NumberFormatException e) {
            // falls to the report below
        }
        return switch (pattern) {
            case "scaled-dot" -> scaledDot();
            case "dot" -> dot();
            default ->
                throw new InvalidInputException(
                        "Unknown score function",
                        "scaled-dot, scaled-dot:0.125 or dot",
                        pattern,
                        "leave score= out for scaled-dot");
        };
    }
}
