package dev.heed.verify;

import dev.heed.score.CustomScore;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;

/** The custom score functions that case strings can name, such as {@code score=custom:manhattan}. */
final class NamedScores {
    private NamedScores() {}

    static ScoreFunction of(String name) {
        return switch (name) {
            case "manhattan" -> ScoreFunction.custom(name, NamedScores::manhattan, manhattanGradient());
            case "manhattan-forward" -> ScoreFunction.custom(name, NamedScores::manhattan);
            default ->
                throw new InvalidInputException(
                        "A case string cannot name this custom function",
                        "custom:manhattan or custom:manhattan-forward",
                        "custom:" + name,
                        "ScoreFunction.custom(name, function) in Java");
        };
    }

    /** {@return minus the mean absolute difference of a query and a key} */
    private static double manhattan(double[] query, double[] key) {
        double sum = 0;
        for (int d = 0; d < query.length; d++) {
            sum -= Math.abs(query[d] - key[d]);
        }
        return sum / query.length;
    }

    private static CustomScore.Gradient manhattanGradient() {
        return (query, key, upstream, dQuery, dKey) -> {
            for (int d = 0; d < query.length; d++) {
                double gradient = upstream * Math.signum(query[d] - key[d]) / query.length;
                dQuery[d] -= gradient;
                dKey[d] += gradient;
            }
        };
    }
}
