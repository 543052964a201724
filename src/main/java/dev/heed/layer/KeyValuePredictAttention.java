package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.layer.Products.Attended;
import dev.heed.layer.Products.Viewed;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Objects;

/**
 * Key-value-predict attention for a language model (Daniluk et al. 2017, section 2.3). Each output
 * {@code h_t = [k_t; v_t; p_t]} of the model has three parts of {@code d} elements: a key, a value and a part for
 * predicting the next word. Position {@code t} attends to the {@code window} outputs before it, but not to its own
 * output:
 *
 * <pre>
 * M_t = tanh(K W_Y + 1 (k_t W_h))      alpha_t = softmax(M_t w)      r_t = alpha_t V
 * h*_t = tanh(r_t W_r + p_t W_x)
 * </pre>
 *
 * <p>The rows of {@code K} and {@code V} are the keys and values of the attended outputs, and {@code 1} is a column of
 * ones. The first position attends to no output, and its {@code r} is zero.
 *
 * @param pastWeight {@code W_Y}, {@code [d, hidden]}
 * @param ownWeight {@code W_h}, {@code [d, hidden]}
 * @param vector {@code w}, {@code [hidden]}
 * @param readWeight {@code W_r}, {@code [d, d]}
 * @param predictWeight {@code W_x}, {@code [d, d]}
 * @param window maximum number of attended outputs before each position, at least 1
 */
public record KeyValuePredictAttention(
        Tensor pastWeight, Tensor ownWeight, Tensor vector, Tensor readWeight, Tensor predictWeight, long window)
        implements Layer<KeyValuePredictAttention> {
    /** Checks that the window is at least 1. */
    public KeyValuePredictAttention {
        if (window < 1) {
            throw new InvalidInputException(
                    "The window must cover at least one output", "1 or more", String.valueOf(window), "5 is usual");
        }
    }

    /**
     * The intermediate results and the output.
     *
     * @param read {@code r}, {@code [batch, sequence, d]}
     * @param weights {@code alpha}, {@code [batch, sequence, sequence]}
     * @param output {@code h*}, {@code [batch, sequence, d]}
     */
    public record Steps(Value read, Tensor weights, Value output) {}

    /** {@return a layer with Glorot-initialised matrices} */
    public static KeyValuePredictAttention create(Initial initial, long d, long hidden, long window) {
        return new KeyValuePredictAttention(
                initial.glorot(d, hidden),
                initial.glorot(d, hidden),
                initial.glorot(hidden, 1).reshape(hidden),
                initial.glorot(d, d),
                initial.glorot(d, d),
                window);
    }

    @Override
    public KeyValuePredictAttention map(Change change) {
        return new KeyValuePredictAttention(
                change.apply("pastWeight", pastWeight),
                change.apply("ownWeight", ownWeight),
                change.apply("vector", vector),
                change.apply("readWeight", readWeight),
                change.apply("predictWeight", predictWeight),
                window);
    }

    /** {@return the attention at every position of {@code h}, {@code [batch, sequence, 3 d]}} */
    public Steps forward(Tape tape, Value h) {
        int d = (int) readWeight.size(0);
        h.require("output", h.size(0), h.size(1), 3L * d);
        Value k = tape.columns(h, 0, d);
        Value v = tape.columns(h, d, 2 * d);
        Value p = tape.columns(h, 2 * d, 3 * d);
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(ScoreFunction.additive(ownWeight, pastWeight, vector))
                .withMask(before())
                .withWeights();
        Attended attended = Products.attention(tape, Viewed.oneHead(k), Viewed.oneHead(k), Viewed.oneHead(v), options);
        Value r = tape.reshape(attended.output(), v.shape());
        Value output = tape.tanh(tape.add(
                tape.linear(r, tape.parameter(readWeight), null, Activation.IDENTITY),
                tape.linear(p, tape.parameter(predictWeight), null, Activation.IDENTITY)));
        Tensor weights = Objects.requireNonNull(attended.result().weights());
        return new Steps(r, weights.select(1, 0), output);
    }

    /**
     * Returns the mask in which query {@code t} attends to keys {@code t - window} to {@code t - 1}. Its offset of -1
     * aligns query {@code t} with key {@code t - 1}.
     */
    private Mask before() {
        return new Mask.Window(window - 1, 0, CausalAlignment.offset(-1));
    }
}
