package dev.heed.conformance;

import dev.heed.Activation;
import dev.heed.AttentionBackend;
import dev.heed.Problem;
import dev.heed.layer.EncoderDecoderAttention;
import dev.heed.layer.EncoderDecoderAttention.Order;
import dev.heed.layer.EncoderDecoderAttention.Step;
import dev.heed.layer.Linear;
import dev.heed.layer.LstmCell;
import dev.heed.layer.ScoredAlignment;
import dev.heed.layer.Tape;
import dev.heed.layer.Value;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Set;

/**
 * A runner of one test vector of ONNX Runtime's AttnLSTM. The LSTM reads {@code [x_t; a_{t-1}]}; its new state {@code
 * h_t} is the query of additive attention over a memory, and the context {@code c_t} gives {@code a_t = [h_t; c_t] AW}.
 * The test vector stores the gates in the order i, c, f, o and Heed in the order i, f, g, o; gate c of the vector is
 * Heed's g.
 */
final class AttentionLstm {
    private static final int[] GATES = {0, 2, 1, 3};

    private final ClassicCase item;
    private final AttentionBackend backend;
    private final Comparison comparison;

    AttentionLstm(ClassicCase item, AttentionBackend backend, Comparison comparison) {
        this.item = item;
        this.backend = backend;
        this.comparison = comparison;
    }

    void run() {
        item.requireKnown(
                Set.of("memory_length"), Set.of("X", "M", "MW", "QW", "v", "AW", "WR_icfo", "b_icfo"), Set.of("Y"));
        Tensor x = item.tensor("X");
        Tensor memory = item.tensor("M");
        Tensor weights = item.tensor("WR_icfo");
        long hidden = item.tensor("QW").size(0);
        long read = weights.size(0) - hidden;
        NotCoveredException.requireSupported(
                backend,
                Problem.parse("q1x1x1x" + item.tensor("v").size(0) + " kv1x" + memory.size(0) + " dv" + memory.size(1)
                        + " f32 score=additive:plain mask=keylens weights"));
        var decoder = new EncoderDecoderAttention(
                new LstmCell(
                        reordered(weights.slice(0, 0, read), hidden),
                        reordered(weights.slice(0, read, weights.size(0)), hidden),
                        reordered(item.tensor("b_icfo").unsqueeze(0), hidden).reshape(4 * hidden)),
                new ScoredAlignment(ScoreFunction.additive(item.tensor("QW"), item.tensor("MW"), item.tensor("v"))),
                new Linear(item.tensor("AW"), null),
                Activation.IDENTITY,
                Order.CURRENT_STATE);
        Double asked = item.number("memory_length");
        int length = asked == null ? (int) memory.size(0) : (int) item.size("memory_length");
        Tensor y = Tensor.zeros(DType.F32, x.size(0), hidden);
        try (var tape = new Tape(backend, DType.F32)) {
            Value annotations = tape.input(memory.unsqueeze(1));
            var remembered =
                    decoder.alignment().remember(tape, annotations, tape.select(annotations, 0), new int[] {length});
            Step step = decoder.start(tape, decoder.cell().start(tape, 1));
            for (long t = 0; t < x.size(0); t++) {
                step = decoder.next(tape, tape.input(x.slice(0, t, t + 1)), step, remembered);
                y.slice(0, t, t + 1).copyFrom(step.state().output().tensor());
            }
        }
        Tensor expected = item.expected().get("Y");
        if (expected != null) {
            comparison.add("Y", expected, y, item.tolerance());
        }
    }

    /** {@return the columns {@code [rows, 4 hidden]} of a test vector with the gates in Heed's order} */
    private static Tensor reordered(Tensor columns, long hidden) {
        Tensor ours = Tensor.zeros(DType.F32, columns.size(0), 4 * hidden);
        for (int gate = 0; gate < 4; gate++) {
            long from = GATES[gate] * hidden;
            ours.slice(1, gate * hidden, (gate + 1) * hidden).copyFrom(columns.slice(1, from, from + hidden));
        }
        return ours;
    }
}
