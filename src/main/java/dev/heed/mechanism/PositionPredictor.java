package dev.heed.mechanism;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * A predictor of the key position around which a query attends: {@code p = S sigmoid(v.tanh(s W))}, with the query
 * {@code s} and the number {@code S} of keys of the batch entry (Luong et al. 2015, equation 9). It computes in double
 * regardless of the backend, so that a window has the same edges on all backends.
 *
 * @param weight {@code W}, {@code [headDim, hidden]}, or with a leading axis of heads
 * @param vector {@code v}, {@code [hidden]}, or with a leading axis of heads
 */
record PositionPredictor(Tensor weight, Tensor vector) {
    /**
     * The gradients of a loss with respect to the query and the parameters.
     *
     * @param query gradient of the query
     * @param weight gradient of {@code W}
     * @param vector gradient of {@code v}
     */
    record Gradients(Tensor query, Tensor weight, Tensor vector) {}

    PositionPredictor {
        boolean fits = weight.type().isFloating()
                && vector.type().isFloating()
                && weight.rank() == vector.rank() + 1
                && (vector.rank() == 1 || vector.rank() == 2)
                && weight.size(-1) == vector.size(-1)
                && (vector.rank() == 1 || weight.size(0) == vector.size(0));
        if (!fits) {
            throw misfit(weight, vector);
        }
    }

    private static InvalidInputException misfit(Tensor weight, Tensor vector) {
        return new InvalidInputException(
                "The parameters of the position do not fit",
                "weight [headDim, hidden] and vector [hidden], or both with a leading axis of heads",
                "weight " + weight + ", vector " + vector,
                "Luong et al. 2015, equation 9");
    }

    private boolean perHead() {
        return vector.rank() == 2;
    }

    private void requireFits(Tensor query) {
        weight.requireAccessible("weight");
        vector.requireAccessible("vector");
        if (weight.size(-2) != query.size(3) || (perHead() && vector.size(0) != query.size(1))) {
            throw new InvalidInputException(
                    "The weight of the position does not fit the query",
                    "[" + query.size(3) + ", hidden], or [" + query.size(1) + ", " + query.size(3) + ", hidden]",
                    weight.toString(),
                    "the second-to-last axis of the weight is headDim");
        }
    }

    private double[] weights(long head) {
        return (perHead() ? weight.select(0, head) : weight).toDoubleArray();
    }

    private double[] vectors(long head) {
        return (perHead() ? vector.select(0, head) : vector).toDoubleArray();
    }

    private static double[] hidden(double[] query, double[] weights, int width) {
        double[] hidden = new double[width];
        for (int d = 0; d < query.length; d++) {
            for (int n = 0; n < width; n++) {
                hidden[n] += query[d] * weights[d * width + n];
            }
        }
        for (int n = 0; n < width; n++) {
            hidden[n] = Math.tanh(hidden[n]);
        }
        return hidden;
    }

    private static double sigmoid(double[] hidden, double[] vectors) {
        double u = 0;
        for (int n = 0; n < hidden.length; n++) {
            u += hidden[n] * vectors[n];
        }
        return 1 / (1 + Math.exp(-u));
    }

    /** {@return the positions, f64 {@code [batch, numHeads, seqLenQ]}} */
    Tensor positions(Tensor query, long[] lengths) {
        requireFits(query);
        Tensor positions = Tensor.zeros(DType.F64, query.size(0), query.size(1), query.size(2));
        for (long h = 0; h < query.size(1); h++) {
            double[] weights = weights(h);
            double[] vectors = vectors(h);
            for (long b = 0; b < query.size(0); b++) {
                Tensor rows = query.select(0, b).select(0, h);
                for (long i = 0; i < query.size(2); i++) {
                    double[] hidden = hidden(rows.select(0, i).toDoubleArray(), weights, vectors.length);
                    positions.set(lengths[(int) b] * sigmoid(hidden, vectors), b, h, i);
                }
            }
        }
        return positions;
    }

    /** {@return the gradients of a loss, from its gradients with respect to the positions} */
    Gradients backward(Tensor query, long[] lengths, Tensor ofPositions) {
        Tensor ofQuery = Tensor.zeros(DType.F64, query.shape());
        Tensor ofWeight = Tensor.zeros(weight.type(), weight.shape());
        Tensor ofVector = Tensor.zeros(vector.type(), vector.shape());
        int heads = perHead() ? Math.toIntExact(query.size(1)) : 1;
        double[][] weightSums = new double[heads][Math.toIntExact(weight.size(-2) * weight.size(-1))];
        double[][] vectorSums = new double[heads][Math.toIntExact(vector.size(-1))];
        for (long h = 0; h < query.size(1); h++) {
            double[] weights = weights(h);
            double[] vectors = vectors(h);
            double[] weightSum = weightSums[perHead() ? (int) h : 0];
            double[] vectorSum = vectorSums[perHead() ? (int) h : 0];
            for (long b = 0; b < query.size(0); b++) {
                for (long i = 0; i < query.size(2); i++) {
                    double[] s = query.select(0, b).select(0, h).select(0, i).toDoubleArray();
                    double[] hidden = hidden(s, weights, vectors.length);
                    double y = sigmoid(hidden, vectors);
                    double up = ofPositions.get(b, h, i) * lengths[(int) b] * y * (1 - y);
                    double[] inner = new double[hidden.length];
                    for (int n = 0; n < hidden.length; n++) {
                        vectorSum[n] += up * hidden[n];
                        inner[n] = up * vectors[n] * (1 - hidden[n] * hidden[n]);
                    }
                    for (int d = 0; d < s.length; d++) {
                        double sum = 0;
                        for (int n = 0; n < inner.length; n++) {
                            weightSum[d * inner.length + n] += s[d] * inner[n];
                            sum += weights[d * inner.length + n] * inner[n];
                        }
                        ofQuery.set(sum, b, h, i, d);
                    }
                }
            }
        }
        for (int h = 0; h < heads; h++) {
            Tensor w = perHead() ? ofWeight.select(0, h) : ofWeight;
            w.copyFrom(Tensor.of(weightSums[h], w.shape()));
            Tensor v = perHead() ? ofVector.select(0, h) : ofVector;
            v.copyFrom(Tensor.of(vectorSums[h], v.shape()));
        }
        return new Gradients(ofQuery, ofWeight, ofVector);
    }
}
