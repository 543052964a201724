package dev.heed.score;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A function that computes the score of a query {@code s} {@code [headDim]} and a key {@code h} {@code [keyHeadDim]}.
 * {@code s.h} is their dot product. Matrices are {@code [in, out]} and are multiplied from the right, as in {@code s W};
 * {@code s'} is a transpose. Either all heads share every matrix and vector, or every matrix and vector has a leading axis
 * {@code [numHeads, ...]} of query heads.
 *
 * <p>The types are sealed, so a switch without a default does not compile until it handles a new function.
 */
public sealed interface ScoreFunction {
    /** {@return the score function {@code s.h / sqrt(headDim)}} */
    static ScoreFunction scaledDot() {
        return new ScaledDot(null);
    }

    /**
     * {@return the score function {@code scale * s.h}}
     *
     * @throws InvalidInputException if the scale is not finite
     */
    static ScoreFunction scaledDot(double scale) {
        return new ScaledDot(scale);
    }

    /** {@return the score function {@code s.h}} */
    static ScoreFunction dot() {
        return new Dot();
    }

    /** {@return the score function {@code cos(s, h)}} */
    static ScoreFunction cosine() {
        return cosine(1);
    }

    /** {@return the score function {@code strength * cos(s, h)}} */
    static ScoreFunction cosine(double strength) {
        return new Cosine(strength, null);
    }

    /**
     * {@return the score function {@code strength * cos(s, h)}, with the strength broadcast to
     * {@code [batch, numHeads, seqLenQ]}}
     */
    static ScoreFunction cosine(Tensor strength) {
        requirePresent("strength", strength);
        return new Cosine(1, strength);
    }

    /** {@return the score function {@code s' W h}, with {@code W} {@code [headDim, keyHeadDim]}} */
    static ScoreFunction general(Tensor weight) {
        return new General(weight);
    }

    /**
     * {@return the score function {@code (s W)_j} of key {@code j}, with {@code W} {@code [headDim, longest]} for at most
     * {@code longest} keys}
     */
    static ScoreFunction location(Tensor weight) {
        return new Location(weight);
    }

    /** {@return the score function {@code v.tanh(s + h)}, for queries and keys that are already projected} */
    static ScoreFunction additive(Tensor vector) {
        return new Additive(null, null, null, vector);
    }

    /** {@return the score function {@code v.tanh(s W + h U)}} */
    static ScoreFunction additive(Tensor queryWeight, Tensor keyWeight, Tensor vector) {
        return new Additive(queryWeight, keyWeight, null, vector);
    }

    /** {@return the score function {@code v.tanh(s W + h U + b)}} */
    static ScoreFunction additive(Tensor queryWeight, Tensor keyWeight, Tensor bias, Tensor vector) {
        return new Additive(queryWeight, keyWeight, bias, vector);
    }

    /**
     * {@return the score function {@code v.tanh([s; h] W)}, with {@code W} {@code [headDim + keyHeadDim, hidden]} for
     * {@code hidden} units}
     */
    static ScoreFunction concat(Tensor weight, Tensor vector) {
        return new Concat(weight, vector);
    }

    /** {@return the score function {@code -width^2 |s - h|^2 / 2}; the width is the reciprocal of the standard deviation} */
    static ScoreFunction gaussian(double width) {
        return new Gaussian(width, null);
    }

    /** {@return the score function {@code -width^2 |s - h|^2 / 2} with a trainable width, {@code [1]} or {@code [numHeads]}} */
    static ScoreFunction gaussian(Tensor width) {
        requirePresent("width", width);
        return new Gaussian(1, width);
    }

    /** {@return a caller's score function, without gradients} */
    static ScoreFunction custom(String name, CustomScore score) {
        return new Custom(name, score, null);
    }

    /** {@return a caller's score function, with gradients} */
    static ScoreFunction custom(String name, CustomScore score, CustomScore.Gradient gradient) {
        return new Custom(name, score, gradient);
    }

    /** {@return the description of this function without its parameters} */
    ScorePattern pattern();

    /** {@return the parameters by name, in a fixed order; empty if there are none} */
    SequencedMap<String, Tensor> parameters();

    /** {@return this function with {@code change} applied to every parameter, for example to allocate its gradient} */
    ScoreFunction map(UnaryOperator<Tensor> change);

    /** {@return the factor of {@code s.h}; 1 for functions without a factor} */
    default double scale(long headDim) {
        return switch (this) {
            case ScaledDot(Double scale) when scale != null -> scale;
            case ScaledDot ignored -> 1 / Math.sqrt(headDim);
            default -> 1;
        };
    }

    /** Scaled dot product: {@code score = scale * s.h} (Vaswani et al. 2017, equation 1).
     *
     * @param scale the factor, or null for {@code 1 / sqrt(headDim)}
     */
    record ScaledDot(@Nullable Double scale) implements ScoreFunction {
        /** Checks the scale. */
        public ScaledDot {
            if (scale != null) {
                requireFinite("scale", scale, "leave it out for 1/sqrt(headDim)");
            }
        }

        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(ScoreKind.SCALED_DOT, scale == null ? "" : scale.toString());
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named();
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return this;
        }
    }

    /** Dot product: {@code score = s.h} (Luong et al. 2015, section 3.1). */
    record Dot() implements ScoreFunction {
        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(ScoreKind.DOT);
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named();
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return this;
        }
    }

    /**
     * Cosine score, also called content-based: {@code score = beta (s.h) / (|s| |h|)} with {@code |x| = sqrt(x.x + 1e-6)},
     * so that a row of zeros scores 0 and has finite gradients (Graves et al. 2014, equation 6, where {@code beta} is the
     * key strength).
     *
     * @param strength {@code beta} if it is a fixed number; ignored if {@code strengths} is not null
     * @param strengths {@code beta} as a trainable tensor that broadcasts to {@code [batch, numHeads, seqLenQ]}, or null
     */
    record Cosine(double strength, @Nullable Tensor strengths) implements ScoreFunction {
        /** The constant added to {@code x.x} before the square root. */
        public static final double EPSILON = 1e-6;

        /** Checks the strength. */
        public Cosine {
            requireFinite("strength", strength, "ScoreFunction.cosine() has strength 1");
        }

        @Override
        public ScorePattern pattern() {
            return strengths == null
                    ? ScorePattern.of(ScoreKind.COSINE, String.valueOf(strength))
                    : ScorePattern.of(ScoreKind.COSINE, ScorePattern.LEARNED, ScorePattern.sizes(strengths.shape()));
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named("strength", strengths);
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return strengths == null ? this : new Cosine(strength, change.apply(strengths));
        }
    }

    /**
     * General score, also called bilinear or multiplicative: {@code score = s' W h} (Luong et al. 2015, section 3.1).
     *
     * @param weight {@code W}, {@code [headDim, keyHeadDim]} or {@code [numHeads, headDim, keyHeadDim]}
     */
    record General(Tensor weight) implements ScoreFunction {
        /** Checks that the parameters are present. */
        public General {
            requirePresent("weight", weight);
        }

        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(ScoreKind.GENERAL, heads(weight, 2));
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named("weight", weight);
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return new General(change.apply(weight));
        }
    }

    /**
     * Location-based score: {@code score of key j = (s W)_j}, which depends on the key's position but not on its content.
     * The first key has position 0; columns beyond the last key are unused (Luong et al. 2015, equation 8).
     *
     * @param weight {@code W}, {@code [headDim, longest]} or {@code [numHeads, headDim, longest]}; {@code longest} is the
     *     maximum number of keys
     */
    record Location(Tensor weight) implements ScoreFunction {
        /** Checks that the parameters are present. */
        public Location {
            requirePresent("weight", weight);
        }

        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(ScoreKind.LOCATION, String.valueOf(weight.size(-1)), heads(weight, 2));
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named("weight", weight);
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return new Location(change.apply(weight));
        }
    }

    /**
     * Additive score: {@code score = v.tanh(s W + h U + b)} with {@code hidden} units (Bahdanau et al. 2015, section
     * A.1.2).
     *
     * @param queryWeight {@code W}, {@code [headDim, hidden]}; null, together with {@code keyWeight} and {@code bias}, for
     *     {@code v.tanh(s + h)}
     * @param keyWeight {@code U}, {@code [keyHeadDim, hidden]}, or null
     * @param bias {@code b}, {@code [hidden]}, or null
     * @param vector {@code v}, {@code [hidden]}
     */
    record Additive(
            @Nullable Tensor queryWeight,
            @Nullable Tensor keyWeight,
            @Nullable Tensor bias,
            Tensor vector) implements ScoreFunction {
        /** Checks that both projections are present or both are absent, and that there is no bias without projections. */
        public Additive {
            requirePresent("vector", vector);
            if ((queryWeight == null) != (keyWeight == null) || (queryWeight == null && bias != null)) {
                throw new InvalidInputException(
                        "An additive score must project both queries and keys, or neither",
                        "both weights, or neither and no bias",
                        "query weight " + queryWeight + ", key weight " + keyWeight + ", bias " + bias,
                        "ScoreFunction.additive(vector) projects nothing");
            }
        }

        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(
                    ScoreKind.ADDITIVE,
                    queryWeight == null ? ScorePattern.PLAIN : String.valueOf(vector.size(-1)),
                    bias == null ? "" : ScorePattern.BIAS,
                    heads(vector, 1));
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named("queryWeight", queryWeight, "keyWeight", keyWeight, "bias", bias, "vector", vector);
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return new Additive(
                    queryWeight == null ? null : change.apply(queryWeight),
                    keyWeight == null ? null : change.apply(keyWeight),
                    bias == null ? null : change.apply(bias),
                    change.apply(vector));
        }
    }

    /**
     * Concat score: {@code score = v.tanh([s; h] W)} (Luong et al. 2015, section 3.1). It is the additive score without a
     * bias and with its two matrices stacked: the first {@code headDim} rows of {@code W} are for the query.
     *
     * @param weight {@code W}, {@code [headDim + keyHeadDim, hidden]}
     * @param vector {@code v}, {@code [hidden]}
     */
    record Concat(Tensor weight, Tensor vector) implements ScoreFunction {
        /** Checks that the parameters are present. */
        public Concat {
            requirePresent("weight", weight);
            requirePresent("vector", vector);
        }

        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(ScoreKind.CONCAT, String.valueOf(vector.size(-1)), heads(vector, 1));
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named("weight", weight, "vector", vector);
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return new Concat(change.apply(weight), change.apply(vector));
        }
    }

    /**
     * Gaussian score: {@code score = -w^2 |s - h|^2 / 2}. Its softmax gives the weights of kernel regression (Nadaraya
     * 1964; Watson 1964).
     *
     * @param width {@code w}, the reciprocal of the standard deviation, if it is a fixed number; ignored if {@code widths}
     *     is not null
     * @param widths {@code w} as a trainable tensor, {@code [1]} or {@code [numHeads]}, or null
     */
    record Gaussian(double width, @Nullable Tensor widths) implements ScoreFunction {
        /** Checks the width. */
        public Gaussian {
            requireFinite("width", width, "ScoreFunction.gaussian(1) has standard deviation 1");
            if (width < 0) {
                throw new InvalidInputException(
                        "The width must not be negative",
                        "0 or more",
                        String.valueOf(width),
                        "the width is the reciprocal of the standard deviation");
            }
        }

        @Override
        public ScorePattern pattern() {
            return widths == null
                    ? ScorePattern.of(ScoreKind.GAUSSIAN, String.valueOf(width))
                    : ScorePattern.of(
                            ScoreKind.GAUSSIAN,
                            ScorePattern.LEARNED,
                            widths.rank() == 1 && widths.size(0) == 1 ? "" : ScorePattern.HEADS);
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named("width", widths);
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return widths == null ? this : new Gaussian(width, change.apply(widths));
        }
    }

    /**
     * A score function written by the caller. The CPU backends call it in double for every attended pair of a query and a
     * key.
     *
     * @param name the name in case strings: letters, digits, {@code . _ -}
     * @param score the function
     * @param gradient the gradient of the function, or null if the backward pass is not needed
     */
    record Custom(String name, CustomScore score, CustomScore.@Nullable Gradient gradient) implements ScoreFunction {
        /** Checks that the parameters are present. */
        public Custom {
            requirePresent("name", name);
            requirePresent("score", score);
        }

        @Override
        public ScorePattern pattern() {
            return ScorePattern.of(ScoreKind.CUSTOM, name);
        }

        @Override
        public SequencedMap<String, Tensor> parameters() {
            return named();
        }

        @Override
        public ScoreFunction map(UnaryOperator<Tensor> change) {
            return this;
        }
    }

    /**
     * Checks the parameters against the sizes of an attention.
     *
     * @throws InvalidInputException if a parameter does not fit
     */
    default void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv, long headDim, long keyHeadDim) {
        for (Map.Entry<String, Tensor> parameter : parameters().entrySet()) {
            Tensor tensor = parameter.getValue();
            tensor.requireAccessible(parameter.getKey());
            if (!tensor.type().isFloating()) {
                throw misfit(parameter.getKey(), "floating-point numbers", tensor);
            }
        }
        switch (this) {
            case ScaledDot ignored -> {}
            case Dot ignored -> {}
            case Custom ignored -> {}
            case Cosine(double ignored, Tensor strengths) -> {
                if (strengths != null) {
                    requireBroadcasts("strength", strengths, batch, numHeads, seqLenQ);
                }
            }
            case General(Tensor weight) -> require("weight", weight, numHeads, headDim, keyHeadDim);
            case Location(Tensor weight) -> {
                if (weight.rank() >= 2 && weight.size(-1) < seqLenKv) {
                    throw misfit("weight", "at least " + seqLenKv + " columns, one per key", weight);
                }
                require("weight", weight, numHeads, headDim, weight.size(-1));
            }
            case Additive(Tensor queryWeight, Tensor keyWeight, Tensor bias, Tensor vector) -> {
                long hidden = queryWeight == null ? headDim : vector.size(-1);
                boolean heads = vector.rank() == 2;
                require("vector", vector, numHeads, hidden);
                if (queryWeight != null && keyWeight != null) {
                    require("queryWeight", queryWeight, heads, numHeads, headDim, hidden);
                    require("keyWeight", keyWeight, heads, numHeads, keyHeadDim, hidden);
                }
                if (bias != null) {
                    require("bias", bias, heads, numHeads, hidden);
                }
                if (queryWeight == null && keyHeadDim != headDim) {
                    throw misfit("key", "the headDim of the query, " + headDim, vector);
                }
            }
            case Concat(Tensor weight, Tensor vector) -> {
                require("vector", vector, numHeads, vector.size(-1));
                require("weight", weight, vector.rank() == 2, numHeads, headDim + keyHeadDim, vector.size(-1));
            }
            case Gaussian(double ignored, Tensor widths) -> {
                if (widths != null && !widths.hasShape(1) && !widths.hasShape(numHeads)) {
                    throw misfit("width", "[1] or [" + numHeads + "]", widths);
                }
            }
        }
    }

    /** Checks the shape of a parameter that all heads share or that has a leading axis of heads. */
    private static void require(String name, Tensor tensor, long numHeads, long... shape) {
        require(name, tensor, tensor.rank() == shape.length + 1, numHeads, shape);
    }

    private static void require(String name, Tensor tensor, boolean perHead, long numHeads, long... shape) {
        long[] whole = new long[shape.length + 1];
        whole[0] = numHeads;
        System.arraycopy(shape, 0, whole, 1, shape.length);
        if (!tensor.hasShape(perHead ? whole : shape)) {
            String expected = Arrays.toString(perHead ? whole : shape);
            throw misfit(
                    name, expected + (perHead ? "" : ", or " + Arrays.toString(whole) + " for all parameters"), tensor);
        }
    }

    private static void requireBroadcasts(String name, Tensor tensor, long... shape) {
        try {
            tensor.expand(shape);
        } catch (InvalidInputException e) {
            throw misfit(name, Arrays.toString(shape) + ", or 1 in place of any size", tensor);
        }
    }

    private static InvalidInputException misfit(String name, String expected, Tensor tensor) {
        return new InvalidInputException(
                "The " + name + " does not fit the score function",
                expected,
                tensor.toString(),
                "matrices are [in, out]; every head may have its own: [numHeads, in, out]");
    }

    private static void requirePresent(String name, @Nullable Object parameter) {
        InvalidInputException.requirePresent(name, parameter, "score functions without parameters: scaledDot(), dot()");
    }

    private static void requireFinite(String name, double number, String hint) {
        if (!Double.isFinite(number)) {
            throw new InvalidInputException(
                    "The " + name + " is not a finite number", "a finite " + name, String.valueOf(number), hint);
        }
    }

    private static String heads(Tensor tensor, int sharedRank) {
        return tensor.rank() == sharedRank + 1 ? ScorePattern.HEADS : "";
    }

    private static SequencedMap<String, Tensor> named(@Nullable Object... namesAndTensors) {
        SequencedMap<String, Tensor> named = new LinkedHashMap<>();
        for (int i = 0; i < namesAndTensors.length; i += 2) {
            if (namesAndTensors[i] instanceof String name && namesAndTensors[i + 1] instanceof Tensor tensor) {
                named.put(name, tensor);
            }
        }
        return named;
    }
}
