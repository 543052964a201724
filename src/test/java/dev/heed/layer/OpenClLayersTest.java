package dev.heed.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.Activation;
import dev.heed.AttentionBackend;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.RandomTensors;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.layer.EncoderDecoderAttention.Order;
import dev.heed.layer.EncoderDecoderAttention.Step;
import dev.heed.layer.RecurrentCell.State;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Compares the forward and backward passes of layers on OpenCL with the reference backend in double. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class OpenClLayersTest {
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT;
    private static final int[] LENGTHS = {7, 4};

    private final OpenClBackend backend = new OpenClBackend();
    private final Initial initial = GradientCheck.initial(1, DType.F64);
    private final RandomTensors random = new RandomTensors(2);

    private int plans;
    private int attentions;

    /**
     * A wrapper of the backend that fails the test if the backend does not support a problem; a tape would run such a
     * problem on another backend.
     */
    private final AttentionBackend strict = (AttentionBackend) Proxy.newProxyInstance(
            AttentionBackend.class.getClassLoader(), new Class<?>[] {AttentionBackend.class}, (proxy, method, args) -> {
                try {
                    Object answer = method.invoke(backend, args);
                    if (method.getName().equals("notSupportedReasons")) {
                        assertEquals(List.of(), answer, () -> args[0].toString());
                    }
                    plans += method.getName().equals("plan") ? 1 : 0;
                    attentions += answer instanceof AttentionPlan ? 1 : 0;
                    return answer;
                } catch (InvocationTargetException e) {
                    throw e.getCause();
                }
            });

    @BeforeAll
    void needADevice() {
        assumeTrue(
                backend.notReadyReasons().isEmpty(),
                () -> backend.notReadyReasons().toString());
    }

    @AfterAll
    void close() {
        backend.close();
    }

    private Tensor normal(long... shape) {
        return random.normal(DType.F64, shape);
    }

    private <L extends Layer<L>> void check(L layer, List<Tensor> inputs, GradientCheck.Pass<L> pass) {
        plans = 0;
        attentions = 0;
        GradientCheck.checkOn(strict, layer, inputs, pass);
        assertTrue(plans > 0, "nothing ran on OpenCL");
    }

    @Test
    void selfAttention() {
        SelfAttention layer = SelfAttention.create(initial, 12, 9, 10);
        check(layer, List.of(normal(2, 21, 12)), (tape, l, in) -> l.forward(tape, in.getFirst(), PLAIN.causal()));
        check(
                layer,
                List.of(normal(2, 21, 12)),
                (tape, l, in) -> l.steps(tape, in.getFirst(), PLAIN).output());
    }

    @Test
    void keyValuePredict() {
        check(
                KeyValuePredictAttention.create(initial, 5, 12, 4),
                List.of(normal(2, 17, 15)),
                (tape, l, in) -> l.forward(tape, in.getFirst()).output());
    }

    @Test
    void multiHeadAcross() {
        check(
                MultiHead.create(initial, 16, 4, 2),
                List.of(normal(2, 9, 16), normal(2, 23, 16)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), in.getLast(), PLAIN.withMask(Mask.keyLengths(23, 8)))
                        .output());
    }

    @Test
    void encoderBlock() {
        check(
                TransformerEncoderBlock.create(initial, 16, 4, 2, 24),
                List.of(normal(2, 19, 16)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), PLAIN).output());
    }

    @Test
    void decoderBlock() {
        check(
                TransformerDecoderBlock.create(initial, 16, 4, 4, 24),
                List.of(normal(2, 11, 16), normal(2, 18, 16)),
                (tape, l, in) -> l.forward(tape, in.getFirst(), in.getLast(), PLAIN, PLAIN)
                        .output());
    }

    @TestFactory
    Stream<DynamicTest> encoderDecoder() {
        List<ScoreFunction> scores = List.of(
                ScoreFunction.additive(normal(8, 6), normal(8, 6), normal(6), normal(6)),
                ScoreFunction.concat(normal(16, 6), normal(6)),
                ScoreFunction.general(normal(8, 8)),
                ScoreFunction.scaledDot(),
                ScoreFunction.location(normal(8, 7)),
                ScoreFunction.gaussian(Tensor.of(new double[] {0.3}, 1)));
        Stream<Alignment> others = Stream.of(new LocalAlignment(normal(8, 5), normal(5), 2), new HardAlignment());
        Stream<Alignment> alignments = Stream.concat(scores.stream().map(ScoredAlignment::new), others);
        return alignments.flatMap(alignment -> Stream.of(Order.values())
                .map(order ->
                        DynamicTest.dynamicTest(order + " " + alignment, () -> decode(alignment, order, LENGTHS))));
    }

    /** The projected keys exceed the limit up to which a step with additive scores runs in Java loops. */
    @Test
    void encoderDecoderOverALongMemory() {
        decode(
                new ScoredAlignment(ScoreFunction.additive(normal(8, 512), normal(8, 512), normal(512), normal(512))),
                Order.PREVIOUS_STATE,
                1030,
                700);
        assertTrue(attentions > 0, "no attention ran on OpenCL");
    }

    private void decode(Alignment alignment, Order order, int... lengths) {
        int read = order == Order.PREVIOUS_STATE ? 3 + 8 : 3 + 5;
        EncoderDecoderAttention layer = new EncoderDecoderAttention(
                GruCell.create(initial, read, 8), alignment, Linear.create(initial, 16, 5), Activation.TANH, order);
        check(layer, List.of(normal(2, 3), normal(lengths[0], 2, 8), normal(2, 8)), (tape, l, in) -> {
            var memory = l.alignment().remember(tape, in.get(1), in.get(2), lengths);
            Step start = l.start(tape, new State(in.get(2), null));
            Step first = l.next(tape, in.getFirst(), start, memory);
            Step second = l.next(tape, in.getFirst(), first, memory);
            return tape.add(first.attentional(), second.attentional());
        });
    }
}
