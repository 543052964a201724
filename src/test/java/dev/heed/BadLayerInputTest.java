package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Tests that invalid calls of softmax, multi-head attention and the rotary embedding are rejected with one message. */
class BadLayerInputTest {
    private static final double SENTINEL = -7;

    private static Tensor f32(long... shape) {
        return Tensor.zeros(DType.F32, shape);
    }

    private static Tensor closed(DType type, long... shape) {
        try (Arena arena = Arena.ofConfined()) {
            return Tensor.allocate(arena, type, shape);
        }
    }

    private static DynamicTest refused(String name, @Nullable Object caseString, Executable call) {
        return dynamicTest(name, () -> assertRefused(caseString, call));
    }

    // ---------------------------------------------------------------- softmax

    @TestFactory
    Stream<DynamicTest> softmaxRefuses() {
        String text = "case      softmax 3x4 axis=1 f32";
        var problem = (SoftmaxProblem) Problem.parse("softmax 3x4 axis=1 f32");
        SoftmaxPlan plan = new ReferenceBackend().plan(problem);
        Tensor x = f32(3, 4);
        Tensor y = f32(3, 4).fill(SENTINEL);
        return Stream.of(
                refused("axis beyond the last", null, () -> Attention.softmax(x, 2)),
                refused("axis before the first", null, () -> Attention.softmax(x, -3)),
                refused("a tensor without axes", null, () -> Attention.softmax(Tensor.of(new float[1]), 0)),
                refused("integers", null, () -> Attention.softmax(x.to(DType.I64), 1)),
                refused("input of a closed arena", text, () -> Attention.softmax(closed(DType.F32, 3, 4), 1)),
                refused("input of another shape", text, () -> plan.forward(f32(4, 3), y)),
                refused("input of another type", text, () -> plan.forward(x.to(DType.F64), y)),
                refused("output of another shape", text, () -> plan.forward(x, f32(3, 5))),
                refused("output over the input", text, () -> plan.forward(x, x)),
                refused("read-only output", text, () -> plan.forward(x, y.asReadOnly())),
                refused("expanded output", text, () -> plan.forward(x, f32(1, 4).expand(3, 4))),
                refused("output gradient of another shape", text, () -> plan.backward(x, f32(4, 3), y)),
                refused("gradient over the output", text, () -> plan.backward(x, f32(3, 4), x)),
                refused("gradient over its own source", text, () -> plan.backward(f32(3, 4), x, x)),
                dynamicTest("nothing was written", () -> assertAll(SENTINEL, y)));
    }

    // ---------------------------------------------------------------- multi-head

    /** Embedding size 6, four query heads and two key/value heads, headDim 2, valueHeadDim 3, output embedding size 5. */
    private static MultiHeadWeights weights() {
        return MultiHeadWeights.of(f32(6, 8), f32(6, 4), f32(6, 6), f32(12, 5))
                .withBiases(f32(8), f32(4), f32(6), f32(5));
    }

    private static MultiHeadInputs inputs(MultiHeadWeights w) {
        return MultiHeadInputs.of(f32(2, 3, 6), f32(2, 4, 6), f32(2, 4, 6), w, 4, 2, AttentionOptions.DEFAULT);
    }

    @TestFactory
    Stream<DynamicTest> multiHeadRefusesInputs() {
        MultiHeadWeights w = weights();
        AttentionOptions plain = AttentionOptions.DEFAULT;
        Tensor x = f32(2, 3, 6);
        return Stream.of(
                refused("input of rank 4", null, () -> MultiHeadInputs.of(f32(1, 2, 3, 6), x, x, w, 4, 2, plain)),
                refused(
                        "closed input",
                        null,
                        () -> MultiHeadInputs.of(closed(DType.F32, 2, 3, 6), x, x, w, 4, 2, plain)),
                refused(
                        "matrix of rank 1",
                        null,
                        () -> inputs(MultiHeadWeights.of(f32(6), w.key(), w.value(), w.output()))),
                refused("heads that do not divide", null, () -> MultiHeadInputs.of(x, x, x, w, 3, 3, plain)),
                refused("no heads", null, () -> MultiHeadInputs.of(x, x, x, w, 0, 0, plain)),
                refused("key heads that do not divide", null, () -> MultiHeadInputs.of(x, x, x, w, 4, 3, plain)),
                refused(
                        "query of another width",
                        "mha in=7x6x6",
                        () -> MultiHeadInputs.of(f32(2, 3, 7), x, x, w, 4, 2, plain)),
                refused(
                        "key of another batch",
                        "mha in=6x6x6",
                        () -> MultiHeadInputs.of(x, f32(1, 3, 6), x, w, 4, 2, plain)),
                refused("value of another length", "mha", () -> MultiHeadInputs.of(x, x, f32(2, 4, 6), w, 4, 2, plain)),
                refused(
                        "input of another type",
                        "mha",
                        () -> MultiHeadInputs.of(x, x, x.to(DType.F64), w, 4, 2, plain)),
                refused(
                        "key matrix of other heads",
                        "mha",
                        () -> inputs(MultiHeadWeights.of(w.query(), f32(6, 8), w.value(), w.output()))),
                refused(
                        "output matrix of another width",
                        "mha",
                        () -> inputs(MultiHeadWeights.of(w.query(), w.key(), w.value(), f32(11, 5)))),
                refused(
                        "matrix of another type",
                        "mha",
                        () -> inputs(MultiHeadWeights.of(w.query().to(DType.BF16), w.key(), w.value(), w.output()))),
                refused(
                        "bias of another width",
                        "biases=q ",
                        () -> inputs(MultiHeadWeights.of(w.query(), w.key(), w.value(), w.output())
                                .withBiases(f32(9), null, null, null))),
                refused(
                        "output bias of another type",
                        "biases=o ",
                        () -> inputs(MultiHeadWeights.of(w.query(), w.key(), w.value(), w.output())
                                .withBiases(null, null, null, Tensor.zeros(DType.F64, 5)))),
                refused(
                        "closed matrix",
                        "mha",
                        () -> inputs(MultiHeadWeights.of(w.query(), w.key(), w.value(), closed(DType.F32, 12, 5)))),
                refused(
                        "mask of another batch",
                        "mask=keylens",
                        () -> MultiHeadInputs.of(x, x, x, w, 4, 2, plain.withMask(Mask.keyLengths(1)))),
                refused(
                        "bias that does not broadcast",
                        null,
                        () -> MultiHeadInputs.of(x, x, x, w, 4, 2, plain.withBias(f32(9)))),
                refused(
                        "row beyond the last",
                        "rows=1",
                        () -> MultiHeadInputs.of(x, x, x, w, 4, 2, plain.withRows(3))));
    }

    @TestFactory
    Stream<DynamicTest> multiHeadRefusesResults() {
        MultiHeadInputs in = inputs(weights());
        String text = "case      " + in.problem();
        MultiHeadPlan plan = new ReferenceBackend().plan(in.problem());
        AttentionResult heads = AttentionResult.allocate(in.problem().attention());
        AttentionResult over = AttentionResult.into(in.query().slice(2, 0, 5));
        MultiHeadGradients g = MultiHeadGradients.allocate(in);
        return Stream.of(
                refused("output per head", text, () -> plan.forward(in, heads)),
                refused("output over the query", text, () -> plan.forward(in, over)),
                refused("output gradient per head", text, () -> plan.backward(in, f32(2, 4, 3, 3), g)),
                refused(
                        "gradient over the matrix",
                        text,
                        () -> plan.backward(
                                in,
                                f32(2, 3, 5),
                                MultiHeadGradients.into(g.query(), g.key(), g.value(), in.weights()))),
                refused(
                        "two gradients in one place",
                        text,
                        () -> plan.backward(
                                in, f32(2, 3, 5), MultiHeadGradients.into(g.query(), g.key(), g.key(), g.weights()))));
    }

    // ---------------------------------------------------------------- rotary

    @TestFactory
    Stream<DynamicTest> rotaryRefusesInputs() {
        Tensor x = f32(2, 3, 5, 8);
        Tensor table = f32(9, 4);
        Tensor at = Tensor.zeros(DType.I64, 2, 5);
        return Stream.of(
                rotary("input of rank 3", null, f32(3, 5, 8), table, table, at),
                rotary("closed input", null, closed(DType.F32, 2, 3, 5, 8), table, table, at),
                rotary("integers", null, x.to(DType.I32), table, table, at),
                rotary("table wider than the head", null, x, f32(9, 5), f32(9, 5), at),
                rotary("closed table", null, x, closed(DType.F32, 9, 4), table, at),
                rotary("closed sines", "rotary 2x3x5x8", x, table, closed(DType.F32, 9, 4), at),
                rotary("sines of another width", "rotary 2x3x5x8", x, table, f32(9, 3), at),
                rotary("tables of integers", "rotary 2x3x5x8", x, table.to(DType.I32), table, at),
                rotary("table without positions", "rotary 2x3x5x8", x, table, table, null),
                rotary("rows with positions", "rotary 2x3x5x8", x, f32(2, 5, 4), f32(2, 5, 4), at),
                rotary("positions of another shape", "positions", x, table, table, Tensor.zeros(DType.I64, 5)),
                rotary("positions of numbers", "positions", x, table, table, f32(2, 5)),
                rotary("closed positions", "positions", x, table, table, closed(DType.I64, 2, 5)),
                rotary(
                        "position beyond the table",
                        "positions",
                        x,
                        table,
                        table,
                        Tensor.zeros(DType.I32, 2, 5).fill(9)),
                rotary(
                        "negative position",
                        "positions",
                        x,
                        table,
                        table,
                        Tensor.zeros(DType.I64, 2, 5).fill(-1)));
    }

    private static DynamicTest rotary(
            String name, @Nullable String text, Tensor x, Tensor cos, Tensor sin, @Nullable Tensor positions) {
        return refused(name, text, () -> RotaryInputs.of(x, cos, sin, positions, false));
    }

    @TestFactory
    Stream<DynamicTest> rotaryRefusesResults() {
        Tensor x = f32(2, 3, 5, 8);
        RotaryInputs in = RotaryInputs.of(x, f32(9, 4), f32(9, 4), Tensor.zeros(DType.I64, 2, 5), false);
        RotaryInputs other = RotaryInputs.of(x, f32(9, 3), f32(9, 3), Tensor.zeros(DType.I64, 2, 5), false);
        String text = in.problem().toString();
        RotaryPlan plan = new ReferenceBackend().plan(in.problem());
        Tensor y = f32(2, 3, 5, 8).fill(SENTINEL);
        return Stream.of(
                refused("output of another shape", text, () -> plan.forward(in, f32(2, 3, 5, 6))),
                refused("output of another type", text, () -> plan.forward(in, Tensor.zeros(DType.F64, 2, 3, 5, 8))),
                refused("output over the input", text, () -> plan.forward(in, x)),
                refused("read-only output", text, () -> plan.forward(in, y.asReadOnly())),
                refused("inputs of another problem", text, () -> plan.forward(other, y)),
                refused("output gradient of another shape", text, () -> plan.backward(in, f32(2, 3, 5, 6), y)),
                refused("gradient over its own source", text, () -> plan.backward(in, y, y)),
                dynamicTest("nothing was written", () -> assertAll(SENTINEL, y)));
    }

    @Test
    void rotaryRefusesAWidthThatIsOdd() {
        assertRefused(null, () -> new RotaryProblem(1, 1, 1, 8, 3, false, false, DType.F32));
        assertRefused(null, () -> new RotaryProblem(1, 1, 1, 8, 10, false, false, DType.F32));
        assertRefused(null, () -> new RotaryProblem(1, 1, 1, 8, 0, false, false, DType.F32));
        assertRefused(null, () -> new RotaryProblem(0, 1, 1, 8, 8, false, false, DType.F32));
    }
}
