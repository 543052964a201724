package dev.heed.layer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The cell of a recurrent network, which computes the next state from an input and a state: {@link GruCell} or
 * {@link LstmCell}.
 */
public sealed interface RecurrentCell permits GruCell, LstmCell {
    /**
     * The state of a cell between two steps.
     *
     * @param output {@code h}, {@code [batch, hidden]}
     * @param cell {@code c} of an {@link LstmCell}, {@code [batch, hidden]}, else null
     */
    record State(Value output, @Nullable Value cell) {}

    /** {@return this cell with its parameters replaced, as in {@link Layer#map}} */
    RecurrentCell map(Layer.Change change);

    /** {@return the number of hidden units: the elements of {@code h} per batch entry} */
    int hidden();

    /** {@return a state of zeros for {@code batch} batch entries} */
    State start(Tape tape, int batch);

    /**
     * {@return the projection of inputs {@code [..., in]} to the gates, {@code [..., gates * hidden]}; {@code gates} is
     * 3 for a GRU and 4 for an LSTM}
     */
    Value project(Tape tape, Value x);

    /**
     * {@return the next state}
     *
     * @param projected the input projected by {@link #project}, {@code [batch, gates * hidden]}
     * @param state the previous state
     * @param active false for batch entries that have no input at this step and keep their state
     */
    State step(Tape tape, Value projected, State state, boolean[] active);

    /** {@return the next state of every batch entry, from an input {@code [batch, in]}} */
    default State next(Tape tape, Value x, State state) {
        boolean[] all = new boolean[(int) x.size(0)];
        Arrays.fill(all, true);
        return step(tape, project(tape, x), state, all);
    }
}
