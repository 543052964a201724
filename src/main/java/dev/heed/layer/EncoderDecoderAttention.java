package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.layer.Alignment.Aligned;
import dev.heed.layer.RecurrentCell.State;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A recurrent decoder with attention over an encoder's outputs. The attention comes before or after the recurrent step:
 *
 * <pre>
 * PREVIOUS_STATE (Bahdanau et al. 2015, section 3.1)      CURRENT_STATE (Luong et al. 2015, section 3)
 * c_i = align(s_{i-1})                                    h_t = cell([y_{t-1}; a_{t-1}], h_{t-1})    input feeding
 * s_i = cell([y_{i-1}; c_i], s_{i-1})                     c_t = align(h_t)
 * a_i = f([s_i; c_i] W + b)                               a_t = f([h_t; c_t] W + b)
 * </pre>
 *
 * <p>{@code a} is the attentional vector, from which the output is predicted. Luong et al. use the hyperbolic tangent
 * as {@code f}.
 *
 * @param cell the recurrent cell; its input is {@code [y; c]} or {@code [y; a]}, depending on {@code order}
 * @param alignment the attention over the memory
 * @param combine the linear layer with {@code W} and {@code b}
 * @param activation {@code f}
 * @param order whether the attention comes before or after the recurrent step
 */
public record EncoderDecoderAttention(
        RecurrentCell cell, Alignment alignment, Linear combine, Activation activation, Order order)
        implements Layer<EncoderDecoderAttention> {

    /** The state that a decoder uses as its query. */
    public enum Order {
        /** The state before the step; the context for this state is an input of the step. */
        PREVIOUS_STATE,
        /** The state after the step; the previous attentional vector is an input of the step. */
        CURRENT_STATE
    }

    /**
     * The state of a decoder between two steps.
     *
     * @param state the cell's state
     * @param attentional {@code a}, {@code [batch, columns of W]}
     * @param weights the attention weights of the previous step, {@code [batch, sequence]}; null at the start or
     *     without attention
     */
    public record Step(
            State state, Value attentional, @Nullable Tensor weights) {}

    @Override
    public EncoderDecoderAttention map(Change change) {
        return new EncoderDecoderAttention(
                cell.map(change.in("cell")),
                alignment.map(change.in("alignment")),
                combine.map(change.in("combine")),
                activation,
                order);
    }

    /** {@return the first state of a decoder: the given state of the cell, and an attentional vector of zeros} */
    public Step start(Tape tape, State state) {
        Value zeros = tape.value(state.output().size(0), combine.weight().size(1));
        zeros.data().clear();
        return new Step(state, zeros, null);
    }

    /**
     * {@return the state of the decoder after the next step}
     *
     * @param y the decoder's input, such as the embedding of the previous output, {@code [batch, width]}
     * @param before the state of the decoder before the step
     * @param memory the memory from {@link Alignment#remember}
     */
    public Step next(Tape tape, Value y, Step before, Alignment.Memory memory) {
        State state;
        Aligned aligned;
        if (order == Order.PREVIOUS_STATE) {
            aligned = memory.align(before.state().output());
            state = cell.next(tape, tape.concat(y, aligned.context()), before.state());
        } else {
            state = cell.next(tape, tape.concat(y, before.attentional()), before.state());
            aligned = memory.align(state.output());
        }
        Value attentional = combine.forward(tape, tape.concat(state.output(), aligned.context()), activation);
        return new Step(state, attentional, aligned.weights());
    }
}
