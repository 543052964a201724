package dev.heed.layer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One step of a recurrent network: {@link GruCell} or {@link LstmCell}. */
public sealed interface RecurrentCell permits GruCell, LstmCell {
    /**
     * What a cell carries from step to step.
     *
     * @param output {@code h}, {@code [batch, hidden]}
     * @param cell {@code c} of a long short-term memory, else null
     */
    record State(Value output, @Nullable Value cell) {}

    /** {@return this cell's parameters changed, as {@link Layer#map}} */
    RecurrentCell map(Layer.Change change);

    /** {@return the width of the state} */
    int hidden();

    /** {@return a state of zeros} */
    State start(Tape tape, int batch);

    /** {@return what the gates take from the input, for any number of rows at once} */
    Value project(Tape tape, Value x);

    /**
     * {@return the next state}
     *
     * @param projected what {@link #project} made of the input, {@code [batch, gates * hidden]}
     * @param state the state before
     * @param active false for rows whose sequence has ended: they keep their state
     */
    State step(Tape tape, Value projected, State state, boolean[] active);

    /** {@return the next state of every row, from an input {@code [batch, in]}} */
    default State next(Tape tape, Value x, State state) {
        boolean[] all = new boolean[(int) x.size(0)];
        Arrays.fill(all, true);
        return step(tape, project(tape, x), state, all);
    }
}
