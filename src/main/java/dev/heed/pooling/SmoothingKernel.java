package dev.heed.pooling;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A kernel {@code K(u)}: the weight of a value whose key is at the distance {@code u = |query - key| / bandwidth} from
 * the query, before the weights of a query are divided by their sum (Nadaraya 1964; Watson 1964). A softmax over
 * {@code ln K} gives the same weights, so {@code ln K} is the score function. A bandwidth is a number from 2^-511 to 2^511;
 * Gaussian kernels of f32, f16 and bf16 tensors need 2^-63 or more.
 */
public sealed interface SmoothingKernel {
    /** {@return {@code K(u) = 1}: the output of every query is the average of the values} */
    static SmoothingKernel constant() {
        return new Constant();
    }

    /** {@return {@code K(u) = exp(-u^2 / 2)}} */
    static SmoothingKernel gaussian(double bandwidth) {
        return new Gaussian(bandwidth);
    }

    /**
     * {@return {@code K = exp(-(w |query - key|)^2 / 2)} with a trainable width {@code w}, the inverse of the bandwidth}
     *
     * @param width {@code [1]}
     */
    static SmoothingKernel gaussian(Tensor width) {
        return new Learned(width);
    }

    /** {@return {@code K(u) = 1} if {@code u <= 1}, else 0} */
    static SmoothingKernel boxcar(double bandwidth) {
        return new Boxcar(bandwidth);
    }

    /** {@return {@code K(u) = 1 - u^2} if {@code u <= 1}, else 0 (Epanechikov 1969)} */
    static SmoothingKernel epanechikov(double bandwidth) {
        return new Epanechikov(bandwidth);
    }

    /** {@return the logarithm of the kernel as a score function, or null if the kernel does not depend on distances} */
    @Nullable
    ScoreFunction score();

    /** The constant kernel, see {@link #constant}. */
    record Constant() implements SmoothingKernel {
        @Override
        public @Nullable ScoreFunction score() {
            return null;
        }
    }

    /**
     * A Gaussian kernel with a fixed bandwidth, see {@link #gaussian(double)}.
     *
     * @param bandwidth the standard deviation
     */
    record Gaussian(double bandwidth) implements SmoothingKernel {
        /** Checks the bandwidth. */
        public Gaussian {
            requireBandwidth(bandwidth);
        }

        @Override
        public ScoreFunction score() {
            return ScoreFunction.gaussian(1 / bandwidth);
        }
    }

    /**
     * A Gaussian kernel with a trainable width, see {@link #gaussian(Tensor)}.
     *
     * @param width the inverse of the standard deviation, {@code [1]}
     */
    record Learned(Tensor width) implements SmoothingKernel {
        /** Checks that the width has one floating-point element. */
        public Learned {
            if (!width.type().isFloating() || !width.hasShape(1)) {
                throw new InvalidInputException(
                        "The width is not a single number",
                        "a floating-point tensor [1]",
                        width.toString(),
                        "Tensor.of(new float[] {1}, 1)");
            }
        }

        @Override
        public ScoreFunction score() {
            return ScoreFunction.gaussian(width);
        }
    }

    /**
     * The boxcar kernel, see {@link #boxcar}.
     *
     * @param bandwidth the largest distance with a weight above 0
     */
    record Boxcar(double bandwidth) implements SmoothingKernel {
        /** Checks the bandwidth. */
        public Boxcar {
            requireBandwidth(bandwidth);
        }

        @Override
        public ScoreFunction score() {
            double limit = bandwidth * bandwidth;
            return ScoreFunction.custom(
                    "boxcar",
                    (query, key) -> beyond(squared(query, key), limit) ? Double.NEGATIVE_INFINITY : 0,
                    (query, key, upstream, queryGradient, keyGradient) -> {});
        }
    }

    /**
     * The Epanechikov kernel, see {@link #epanechikov}.
     *
     * @param bandwidth the distance at which the weight reaches 0
     */
    record Epanechikov(double bandwidth) implements SmoothingKernel {
        /** Checks the bandwidth. */
        public Epanechikov {
            requireBandwidth(bandwidth);
        }

        @Override
        public ScoreFunction score() {
            double limit = bandwidth * bandwidth;
            return ScoreFunction.custom(
                    "epanechikov",
                    (query, key) -> {
                        double square = squared(query, key);
                        return beyond(square, limit) ? Double.NEGATIVE_INFINITY : Math.log1p(-square / limit);
                    },
                    (query, key, upstream, queryGradient, keyGradient) -> {
                        double left = limit - squared(query, key);
                        for (int d = 0; d < query.length && left > 0; d++) {
                            double gradient = -2 * (query[d] - key[d]) / left * upstream;
                            queryGradient[d] += gradient;
                            keyGradient[d] -= gradient;
                        }
                    });
        }
    }

    private static double squared(double[] query, double[] key) {
        double sum = 0;
        for (int d = 0; d < query.length; d++) {
            sum += (query[d] - key[d]) * (query[d] - key[d]);
        }
        return sum;
    }

    /**
     * Returns whether a squared distance exceeds the limit; false for NaN, so that the key stays attended and the NaN
     * reaches the output.
     */
    private static boolean beyond(double square, double limit) {
        return square > limit;
    }

    private static void requireBandwidth(double bandwidth) {
        double least = 0x1p-511;
        double largest = 0x1p511;
        if (!(bandwidth >= least && bandwidth <= largest)) {
            throw new InvalidInputException(
                    "The bandwidth is not a positive number whose square f64 can hold",
                    "a bandwidth from " + least + " to " + largest,
                    String.valueOf(bandwidth),
                    "SmoothingKernel.constant() is the limit of large bandwidths");
        }
    }
}
