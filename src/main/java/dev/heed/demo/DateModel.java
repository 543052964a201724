package dev.heed.demo;

import dev.heed.Activation;
import dev.heed.layer.Bidirectional;
import dev.heed.layer.EncoderDecoderAttention;
import dev.heed.layer.EncoderDecoderAttention.Order;
import dev.heed.layer.EncoderDecoderAttention.Step;
import dev.heed.layer.GruCell;
import dev.heed.layer.Initial;
import dev.heed.layer.Layer;
import dev.heed.layer.Linear;
import dev.heed.layer.RecurrentCell.State;
import dev.heed.layer.Tape;
import dev.heed.layer.Value;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The encoder-decoder model of Bahdanau et al. 2015, on characters: embeddings, a bidirectional GRU, a GRU with
 * attention, and a readout over eleven characters. The output always has ten characters, so no end symbol is needed.
 *
 * @param embeddings embeddings of the input characters, {@code [alphabet, embed]}
 * @param outputs embeddings of the output characters and of the start symbol, {@code [12, embed]}
 * @param encoder the bidirectional GRU
 * @param start linear layer from the encoder's last state to the decoder's first
 * @param decoder the GRU with attention
 * @param readout linear layer to the logits
 */
record DateModel(
        Tensor embeddings,
        Tensor outputs,
        Bidirectional encoder,
        Linear start,
        EncoderDecoderAttention decoder,
        Linear readout)
        implements Layer<DateModel> {

    /** Maximum number of characters of a text. */
    static final int LONGEST = 64;

    static DateModel create(Initial initial, AttentionKind kind, int alphabet, int embed, int hidden) {
        int width = 2 * hidden;
        boolean previous = kind == AttentionKind.BAHDANAU || kind == AttentionKind.NONE;
        return new DateModel(
                initial.normal(0.3, alphabet, embed),
                initial.normal(0.3, Alphabet.START + 1, embed),
                new Bidirectional(GruCell.create(initial, embed, hidden), GruCell.create(initial, embed, hidden)),
                Linear.create(initial, width, width),
                new EncoderDecoderAttention(
                        GruCell.create(initial, embed + width, width),
                        kind.create(initial, width, hidden, LONGEST),
                        Linear.create(initial, 2L * width, width),
                        Activation.TANH,
                        previous ? Order.PREVIOUS_STATE : Order.CURRENT_STATE),
                Linear.create(initial, width, Alphabet.START));
    }

    @Override
    public DateModel map(Change change) {
        return new DateModel(
                change.apply("embeddings", embeddings),
                change.apply("outputs", outputs),
                encoder.map(change.in("encoder")),
                start.map(change.in("start")),
                decoder.map(change.in("decoder")),
                readout.map(change.in("readout")));
    }

    /**
     * The output of the decoder.
     *
     * @param logits {@code [10 * batch, 11]}, ordered by step, then by batch entry
     * @param output the most likely characters, {@code [batch][10]}; zeros if targets are given
     * @param weights {@code [batch][10][longest]}; null without attention, or if not requested
     */
    record Written(Value logits, int[][] output, double @Nullable [][][] weights) {}

    /**
     * {@return the output of the decoder}
     *
     * @param texts characters of each text of a batch, numbered as in {@link Alphabet}
     * @param targets the characters to feed back after each step, or null to feed back the most likely ones
     */
    Written write(Tape tape, List<int[]> texts, int @Nullable [][] targets, boolean keepWeights) {
        int batch = texts.size();
        int[] lengths = texts.stream().mapToInt(text -> text.length).toArray();
        int longest = Arrays.stream(lengths).max().orElseThrow();
        int[] characters = new int[longest * batch];
        for (int b = 0; b < batch; b++) {
            for (int t = 0; t < lengths[b]; t++) {
                characters[t * batch + b] = texts.get(b)[t];
            }
        }
        Value x = tape.rows(tape.parameter(embeddings), characters);
        Bidirectional.Read read = encoder.forward(tape, tape.reshape(x, longest, batch, x.size(1)), lengths);
        var memory = decoder.alignment().remember(tape, read.annotations(), read.last(), lengths);
        Step step = decoder.start(tape, new State(start.forward(tape, read.last(), Activation.TANH), null));
        int[] last = new int[batch];
        Arrays.fill(last, Alphabet.START);
        int[][] output = new int[batch][Alphabet.OUTPUT_LENGTH];
        double[][][] weights = new double[batch][Alphabet.OUTPUT_LENGTH][];
        boolean weighed = false;
        List<Value> attentional = new ArrayList<>();
        List<Value> logits = new ArrayList<>();
        for (int n = 0; n < Alphabet.OUTPUT_LENGTH; n++) {
            step = decoder.next(tape, tape.rows(tape.parameter(outputs), last), step, memory);
            attentional.add(step.attentional());
            Tensor alignment = step.weights();
            if (keepWeights && alignment != null) {
                weighed = true;
                for (int b = 0; b < batch; b++) {
                    weights[b][n] = alignment.select(0, b).toDoubleArray();
                }
            }
            if (targets == null) {
                logits.add(readout.forward(tape, step.attentional()));
                double[] row = logits.getLast().tensor().toDoubleArray();
                for (int b = 0; b < batch; b++) {
                    last[b] = largest(row, b * Alphabet.START);
                    output[b][n] = last[b];
                }
            } else {
                for (int b = 0; b < batch; b++) {
                    last[b] = targets[b][n];
                }
            }
        }
        Value all = targets == null
                ? tape.stack(logits)
                : readout.forward(tape, tape.stack(attentional)); // one product for all steps
        Value flat = tape.reshape(all, (long) Alphabet.OUTPUT_LENGTH * batch, Alphabet.START);
        return new Written(flat, output, weighed ? weights : null);
    }

    private static int largest(double[] row, int from) {
        int best = 0;
        for (int c = 1; c < Alphabet.START; c++) {
            best = row[from + c] > row[from + best] ? c : best;
        }
        return best;
    }
}
