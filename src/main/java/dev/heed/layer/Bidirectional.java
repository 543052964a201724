package dev.heed.layer;

import dev.heed.layer.RecurrentCell.State;
import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * A bidirectional recurrent layer, which reads a sequence in both directions and returns the annotations
 * {@code h_j = [forward_j; backward_j]} (Bahdanau et al. 2015, section 3.2). Beyond the length of a batch entry, the
 * forward state stays unchanged and the backward state is zero.
 *
 * @param forward cell that reads from the first position to the last
 * @param backward cell that reads from the last position to the first
 */
public record Bidirectional(RecurrentCell forward, RecurrentCell backward) implements Layer<Bidirectional> {
    /**
     * The annotations of a batch of sequences, and the last states.
     *
     * @param annotations {@code [sequence, batch, 2 hidden]}
     * @param last the final forward state concatenated with the final backward state, {@code [batch, 2 hidden]}
     */
    public record Read(Value annotations, Value last) {}

    @Override
    public Bidirectional map(Change change) {
        return new Bidirectional(forward.map(change.in("forward")), backward.map(change.in("backward")));
    }

    /**
     * {@return the annotations and the last states of a batch of sequences}
     *
     * @param x {@code [sequence, batch, in]}
     * @param lengths sequence length of each batch entry, from 1 to {@code sequence}
     */
    public Read forward(Tape tape, Value x, int[] lengths) {
        int longest = (int) x.size(0);
        requireLengths(lengths, longest, (int) x.size(1));
        List<Value> there = run(tape, forward, x, lengths, false);
        List<Value> back = run(tape, backward, x, lengths, true);
        List<Value> both = new ArrayList<>();
        for (int t = 0; t < longest; t++) {
            both.add(tape.concat(there.get(t), back.get(t)));
        }
        return new Read(tape.stack(both), tape.concat(there.getLast(), back.getFirst()));
    }

    static void requireLengths(int[] lengths, int longest, int batch) {
        if (lengths.length != batch || Arrays.stream(lengths).anyMatch(n -> n < 1 || n > longest)) {
            throw new InvalidInputException(
                    "The lengths do not fit the sequences",
                    batch + " lengths from 1 to " + longest,
                    Arrays.toString(lengths),
                    "one length for each batch entry");
        }
    }

    private static List<Value> run(Tape tape, RecurrentCell cell, Value x, int[] lengths, boolean reversed) {
        int longest = (int) x.size(0);
        Value projected = cell.project(tape, x);
        State state = cell.start(tape, lengths.length);
        List<Value> outputs = new ArrayList<>();
        for (int step = 0; step < longest; step++) {
            int t = reversed ? longest - 1 - step : step;
            boolean[] active = new boolean[lengths.length];
            for (int b = 0; b < active.length; b++) {
                active[b] = t < lengths[b];
            }
            state = cell.step(tape, tape.select(projected, t), state, active);
            outputs.add(state.output());
        }
        if (reversed) {
            Collections.reverse(outputs);
        }
        return outputs;
    }
}
