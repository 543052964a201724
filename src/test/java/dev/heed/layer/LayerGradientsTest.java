package dev.heed.layer;

import static dev.heed.layer.GradientCheck.check;
import static dev.heed.layer.GradientCheck.initial;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.RandomTensors;
import dev.heed.layer.EncoderDecoderAttention.Order;
import dev.heed.layer.EncoderDecoderAttention.Step;
import dev.heed.layer.RecurrentCell.State;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Compares the gradients of every layer, for parameters and inputs, with numerical derivatives of its forward pass, and
 * the f32 gradients with those in double.
 */
class LayerGradientsTest {
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT;
    private static final int[] LENGTHS = {4, 2};

    private final Initial initial = initial(1, DType.F64);
    private final RandomTensors random = new RandomTensors(2);

    private Tensor normal(long... shape) {
        return random.normal(DType.F64, shape);
    }

    @Test
    void linear() {
        Linear layer = Linear.create(initial, 3, 4);
        check(layer, List.of(normal(2, 5, 3)), (tape, l, in) -> l.forward(tape, in.getFirst(), Activation.TANH));
    }

    @Test
    void layerNorm() {
        check(
                new LayerNorm(normal(5), normal(5), 1e-5),
                List.of(normal(2, 3, 5)),
                (tape, l, in) -> l.forward(tape, in.getFirst()));
    }

    @Test
    void feedForward() {
        check(
                FeedForward.create(initial, 4, 6, Activation.GELU),
                List.of(normal(2, 3, 4)),
                (tape, l, in) -> l.forward(tape, in.getFirst()));
    }

    @Test
    void selfAttention() {
        SelfAttention layer = SelfAttention.create(initial, 4, 3, 5);
        check(layer, List.of(normal(2, 4, 4)), (tape, l, in) -> l.forward(tape, in.getFirst(), PLAIN.causal()));
        check(
                layer,
                List.of(normal(2, 4, 4)),
                (tape, l, in) -> l.steps(tape, in.getFirst(), PLAIN).output());
    }

    @Test
    void keyValue() {
        check(
                new KeyValueAttention(Linear.create(initial, 4, 3), Linear.create(initial, 4, 5), Activation.TANH),
                List.of(normal(2, 3, 3), normal(2, 4, 4)),
                (tape, l, in) ->
                        l.forward(tape, in.getFirst(), in.getLast(), PLAIN).output());
    }

    @Test
    void keyValuePredict() {
        check(
                KeyValuePredictAttention.create(initial, 3, 4, 2),
                List.of(normal(2, 5, 9)),
                (tape, l, in) -> l.forward(tape, in.getFirst()).output());
    }

    @Test
    void multiHeadCausalWithGroupedQueries() {
        check(
                MultiHead.create(initial, 8, 4, 2),
                List.of(normal(2, 4, 8)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), PLAIN.causal()).output());
    }

    @Test
    void multiHeadAcross() {
        check(
                MultiHead.create(initial, 4, 2, 2),
                List.of(normal(2, 3, 4), normal(2, 4, 4)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), in.getLast(), PLAIN.withMask(Mask.keyLengths(4, 2)))
                        .output());
    }

    @Test
    void encoderBlock() {
        check(
                TransformerEncoderBlock.create(initial, 4, 2, 1, 6),
                List.of(normal(2, 3, 4)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), PLAIN).output());
    }

    @Test
    void decoderBlock() {
        check(
                TransformerDecoderBlock.create(initial, 4, 2, 2, 6),
                List.of(normal(2, 3, 4), normal(2, 5, 4)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), in.getLast(), PLAIN, PLAIN)
                        .output());
    }

    @Test
    void gru() {
        check(GruCell.create(initial, 3, 4), List.of(normal(2, 3), normal(2, 4)), (tape, l, in) -> {
            State state = new State(in.getLast(), null);
            return l.next(tape, in.getFirst(), l.next(tape, in.getFirst(), state))
                    .output();
        });
    }

    @Test
    void lstm() {
        check(LstmCell.create(initial, 3, 4), List.of(normal(2, 3), normal(2, 4), normal(2, 4)), (tape, l, in) -> {
            State state = l.next(tape, in.getFirst(), new State(in.get(1), in.get(2)));
            State after = l.next(tape, in.getFirst(), state);
            return tape.concat(after.output(), after.cell());
        });
    }

    @Test
    void bidirectionalWithLengths() {
        check(
                new Bidirectional(GruCell.create(initial, 3, 2), LstmCell.create(initial, 3, 2)),
                List.of(normal(4, 2, 3)),
                (tape, l, in) -> {
                    Bidirectional.Read read = l.forward(tape, in.getFirst(), LENGTHS);
                    List<Value> rows = new ArrayList<>();
                    for (int t = 0; t < 4; t++) {
                        rows.add(tape.multiply(tape.select(read.annotations(), t), read.last()));
                    }
                    return tape.stack(rows);
                });
    }

    @TestFactory
    Stream<DynamicTest> encoderDecoder() {
        List<ScoreFunction> scores = List.of(
                ScoreFunction.additive(normal(4, 3), normal(4, 3), normal(3), normal(3)),
                ScoreFunction.additive(normal(4)),
                ScoreFunction.concat(normal(8, 3), normal(3)),
                ScoreFunction.general(normal(4, 4)),
                ScoreFunction.dot(),
                ScoreFunction.scaledDot(),
                ScoreFunction.gaussian(Tensor.of(new double[] {0.7}, 1)));
        Stream<Alignment> alignments =
                Stream.concat(scores.stream().map(ScoredAlignment::new), Stream.of(Alignment.none()));
        return alignments.flatMap(alignment -> Stream.of(Order.values())
                .map(order -> DynamicTest.dynamicTest(order + " " + alignment, () -> decode(alignment, order))));
    }

    /** The matrix of a location-based score has one column for each position of the longest sequence. */
    @Test
    void encoderDecoderByLocation() {
        decode(new ScoredAlignment(ScoreFunction.location(normal(4, 4))), Order.CURRENT_STATE);
    }

    /** The window ends inside the sequence, and the gradient treats its edges as constants. */
    @Test
    void encoderDecoderNearAPredictedPlace() {
        decode(new LocalAlignment(normal(4, 3), normal(3), 2), Order.CURRENT_STATE);
    }

    private void decode(Alignment alignment, Order order) {
        int read = order == Order.PREVIOUS_STATE ? 3 + 4 : 3 + 5;
        EncoderDecoderAttention layer = new EncoderDecoderAttention(
                LstmCell.create(initial, read, 4), alignment, Linear.create(initial, 8, 5), Activation.TANH, order);
        check(layer, List.of(normal(2, 3), normal(4, 2, 4), normal(2, 4)), (tape, l, in) -> {
            var memory = l.alignment().remember(tape, in.get(1), in.get(2), LENGTHS);
            State start = new State(in.get(2), in.get(2));
            Step first = l.next(tape, in.getFirst(), l.start(tape, start), memory);
            Step second = l.next(tape, in.getFirst(), first, memory);
            // the loss depends on the memory directly, so that the memory has a gradient even without attention
            return tape.add(
                    tape.columns(second.attentional(), 0, 4),
                    tape.multiply(tape.select(in.get(1), 1), tape.columns(first.attentional(), 1, 5)));
        });
    }
}
