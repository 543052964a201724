package dev.heed.backend.opencl.check;

import dev.heed.score.CustomScore;
import dev.heed.score.ScoreFunction;

/**
 * The published formula of a pairwise score and of its gradient, in double, with which a self-check compares the device.
 *
 * @param formula computes the score
 * @param gradient adds the gradients with respect to the query and the key
 */
record ScoreFormula(CustomScore formula, CustomScore.Gradient gradient) {

    double score(double[] query, double[] key) {
        return formula.score(query, key);
    }

    void add(double[] query, double[] key, double upstream, double[] queryGradient, double[] keyGradient) {
        gradient.add(query, key, upstream, queryGradient, keyGradient);
    }

    static ScoreFormula dot(double scale) {
        return new ScoreFormula((q, k) -> scale * product(q, k), (q, k, up, dq, dk) -> {
            for (int d = 0; d < q.length; d++) {
                dq[d] += up * scale * k[d];
                dk[d] += up * scale * q[d];
            }
        });
    }

    /** {@code v.tanh(q + k)}. */
    static ScoreFormula additive(float[] vector) {
        return new ScoreFormula(
                (q, k) -> {
                    double sum = 0;
                    for (int d = 0; d < q.length; d++) {
                        sum += vector[d] * Math.tanh(q[d] + k[d]);
                    }
                    return sum;
                },
                (q, k, up, dq, dk) -> {
                    for (int d = 0; d < q.length; d++) {
                        double t = Math.tanh(q[d] + k[d]);
                        double gradient = up * vector[d] * (1 - t * t);
                        dq[d] += gradient;
                        dk[d] += gradient;
                    }
                });
    }

    /** {@code -w^2 |q - k|^2 / 2}. */
    static ScoreFormula gaussian(double width) {
        return new ScoreFormula(
                (q, k) -> {
                    double sum = 0;
                    for (int d = 0; d < q.length; d++) {
                        sum += (q[d] - k[d]) * (q[d] - k[d]);
                    }
                    return -width * width * sum / 2;
                },
                (q, k, up, dq, dk) -> {
                    for (int d = 0; d < q.length; d++) {
                        double gradient = up * width * width * (q[d] - k[d]);
                        dq[d] -= gradient;
                        dk[d] += gradient;
                    }
                });
    }

    /** {@code strength q.k / (|q| |k|)}. */
    static ScoreFormula cosine(double strength) {
        return new ScoreFormula((q, k) -> strength * product(q, k) / (length(q) * length(k)), (q, k, up, dq, dk) -> {
            double lengthQ = length(q);
            double lengthK = length(k);
            double cos = product(q, k) / (lengthQ * lengthK);
            for (int d = 0; d < q.length; d++) {
                dq[d] += up * strength * (k[d] / lengthK - cos * q[d] / lengthQ) / lengthQ;
                dk[d] += up * strength * (q[d] / lengthQ - cos * k[d] / lengthK) / lengthK;
            }
        });
    }

    private static double length(double[] x) {
        return Math.sqrt(product(x, x) + ScoreFunction.Cosine.EPSILON);
    }

    private static double product(double[] x, double[] y) {
        double sum = 0;
        for (int d = 0; d < x.length; d++) {
            sum += x[d] * y[d];
        }
        return sum;
    }
}
