package dev.heed.layer;

import dev.heed.layer.Alignment.Aligned;

/**
 * One decoder step of additive attention, with one projected query per batch entry: {@code score_j = v.tanh(q + k_j)}
 * (Bahdanau et al. 2015, section A.1.2). The hyperbolic tangents are stored for the backward pass.
 */
final class AdditiveStep {
    private AdditiveStep() {}

    /**
     * {@return the context and the weights of every batch entry}
     *
     * @param query the projected queries {@code q}, {@code [batch, hidden]}
     * @param keys the projected keys {@code k}, {@code [sequence, batch, hidden]}
     * @param memory the values: the outputs of the encoder, {@code [sequence, batch, width]}
     * @param vector {@code v}, {@code [hidden]}
     * @param lengths sequence length of each batch entry
     */
    static Aligned align(Tape tape, Value query, Value keys, Value memory, Value vector, int[] lengths) {
        int batch = query.rows();
        int hidden = query.width();
        int longest = (int) keys.size(0);
        int width = memory.width();
        keys.require("projected memory", longest, batch, hidden);
        memory.require("memory", longest, batch, width);
        Value context = tape.value(batch, width);
        context.data().clear();
        Value weights = tape.value(batch, longest);
        weights.data().clear();
        Elements tangents = tape.take(longest * batch * hidden);
        for (int b = 0; b < batch; b++) {
            double[] scores = new double[lengths[b]];
            double max = Double.NEGATIVE_INFINITY;
            for (int t = 0; t < scores.length; t++) {
                int at = (t * batch + b) * hidden;
                for (int i = 0; i < hidden; i++) {
                    double y = Math.tanh(
                            query.data().get(b * hidden + i) + keys.data().get(at + i));
                    tangents.set(at + i, y);
                    scores[t] += vector.data().get(i) * y;
                }
                max = Math.max(max, scores[t]);
            }
            double sum = 0;
            for (int t = 0; t < scores.length; t++) {
                scores[t] = Math.exp(scores[t] - max);
                sum += scores[t];
            }
            for (int t = 0; t < scores.length; t++) {
                double weight = scores[t] / sum;
                weights.data().set(b * longest + t, weight);
                int from = (t * batch + b) * width;
                for (int i = 0; i < width; i++) {
                    context.data().add(b * width + i, weight * memory.data().get(from + i));
                }
            }
        }
        tape.back(context, () -> {
            for (int b = 0; b < batch; b++) {
                back(b, query, keys, memory, vector, lengths[b], context, weights, tangents);
            }
        });
        return new Aligned(context, weights.tensor());
    }

    private static void back(
            int b,
            Value query,
            Value keys,
            Value memory,
            Value vector,
            int length,
            Value context,
            Value weights,
            Elements tangents) {
        int batch = query.rows();
        int hidden = query.width();
        int longest = (int) keys.size(0);
        int width = memory.width();
        Elements dq = query.gradientElements();
        Elements dk = keys.gradientElements();
        Elements dh = memory.gradientElements();
        Elements dv = vector.gradientElements();
        Elements dc = context.gradientElements();
        double[] up = new double[length];
        double mean = 0;
        for (int t = 0; t < length; t++) {
            double weight = weights.data().get(b * longest + t);
            int from = (t * batch + b) * width;
            for (int i = 0; i < width; i++) {
                double d = dc.get(b * width + i);
                up[t] += d * memory.data().get(from + i);
                dh.add(from + i, weight * d);
            }
            mean += weight * up[t];
        }
        for (int t = 0; t < length; t++) {
            double ds = weights.data().get(b * longest + t) * (up[t] - mean);
            int at = (t * batch + b) * hidden;
            for (int i = 0; i < hidden; i++) {
                double y = tangents.get(at + i);
                double dz = ds * vector.data().get(i) * (1 - y * y);
                dq.add(b * hidden + i, dz);
                dk.add(at + i, dz);
                dv.add(i, ds * y);
            }
        }
    }
}
