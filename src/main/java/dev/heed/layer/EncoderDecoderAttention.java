package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.layer.Alignment.Aligned;
import dev.heed.layer.RecurrentCell.State;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A decoder's step with attention, in one of two orders.
 *
 * <pre>
 * PREVIOUS_STATE (Bahdanau et al. 2015, section 3.1)      CURRENT_STATE (Luong et al. 2015, section 3)
 * c_i = align(s_{i-1})                                    h_t = cell([y_{t-1}; a_{t-1}], h_{t-1})    input feeding
 * s_i = cell([y_{i-1}; c_i], s_{i-1})                     c_t = align(h_t)
 * a_i = f([s_i; c_i] W + b)                               a_t = f([h_t; c_t] W + b)
 * </pre>
 *
 * <p>Luong's {@code f} is the hyperbolic tangent, and {@code a} is what the decoder's readout sees.
 *
 * @param cell the recurrent cell; it reads {@code [y; c]}, or {@code [y; a]}
 * @param alignment how the memory is looked at
 * @param combine {@code W} and {@code b}
 * @param activation {@code f}
 * @param order when the memory is looked at
 */
public record EncoderDecoderAttention(
        RecurrentCell cell, Alignment alignment, Linear combine, Activation activation, Order order)
        implements Layer<EncoderDecoderAttention> {

    /** When a decoder looks at the memory. */
    public enum Order {
        /** With its state before the step. */
        PREVIOUS_STATE,
        /** With its state after the step, which has seen the last attentional vector. */
        CURRENT_STATE
    }

    /**
     * A decoder between two steps.
     *
     * @param state the cell's state
     * @param attentional {@code a}, {@code [batch, width]}
     * @param weights the alignment of the step, {@code [batch, sequence]}, or null
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

    /** {@return where a decoder starts: a state, and an attentional vector of zeros} */
    public Step start(Tape tape, State state) {
        Value zeros = tape.value(state.output().size(0), combine.weight().size(1));
        zeros.data().clear();
        return new Step(state, zeros, null);
    }

    /**
     * {@return the next step}
     *
     * @param y what the decoder reads, {@code [batch, width]}
     * @param before the step before
     * @param memory from {@link Alignment#remember}
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
