package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Tests that a linear layer rejects invalid tensors before it writes, with a message that has the case string and a hint. */
class BadLinearInputTest {
    private static Tensor f32(long... shape) {
        return Tensor.zeros(DType.F32, shape);
    }

    @TestFactory
    Stream<DynamicTest> refuses() {
        LinearWeights w = new LinearWeights(f32(4, 6), f32(6));
        LinearProblem problem = w.problem(5, Activation.GELU);
        LinearPlan plan = new ReferenceBackend().plan(problem);
        Tensor x = f32(5, 4);
        Tensor y = f32(5, 6).fill(7);
        Tensor dx = f32(5, 4).fill(7);
        LinearWeights dw = w.zerosLike();
        return Stream.of(
                refused("input of another width", problem, () -> plan.forward(f32(5, 3), w, y)),
                refused("input of another type", problem, () -> plan.forward(x.to(DType.F64), w, y)),
                refused("a bias too many", problem, () -> plan.forward(x, weights(f32(4, 6), f32(5)), y)),
                refused("a bias missing", problem, () -> plan.forward(x, weights(f32(4, 6), null), y)),
                refused("weights the other way round", problem, () -> plan.forward(x, weights(f32(6, 4), f32(6)), y)),
                refused("output of another shape", problem, () -> plan.forward(x, w, f32(6, 5))),
                refused("read-only output", problem, () -> plan.forward(x, w, y.asReadOnly())),
                refused("output over the input", problem, () -> {
                    float[] both = new float[50];
                    Tensor whole = Tensor.of(both, 5, 10);
                    plan.forward(whole.slice(1, 0, 4), w, whole.slice(1, 3, 9));
                }),
                refused("gradient of another shape", problem, () -> plan.backward(x, w, f32(5, 4), dx, dw)),
                refused(
                        "gradients of other weights",
                        problem,
                        () -> plan.backward(x, w, f32(5, 6), dx, weights(f32(4, 6), null))),
                refused("gradient over the input", problem, () -> plan.backward(x, w, f32(5, 6), x, dw)),
                dynamicTest("nothing was written", () -> {
                    assertAll(7, y);
                    assertAll(7, dx);
                    assertAll(0, dw.weight());
                }));
    }

    private static LinearWeights weights(Tensor weight, @Nullable Tensor bias) {
        return new LinearWeights(weight, bias);
    }

    private static DynamicTest refused(String name, LinearProblem problem, Executable call) {
        return dynamicTest(name, () -> {
            String message = assertThrows(InvalidInputException.class, call).getMessage();
            assertTrue(message.contains(problem.toString()) && message.contains("HINT"), message);
        });
    }

    @Test
    void refusesSizesOfZero() {
        assertThrows(
                InvalidInputException.class, () -> new LinearProblem(0, 4, 4, false, Activation.IDENTITY, DType.F32));
        assertThrows(
                InvalidInputException.class, () -> new LinearProblem(1, 4, 4, false, Activation.IDENTITY, DType.I64));
        assertThrows(InvalidInputException.class, () -> Problem.parse("linear 3x4 f32"));
        assertThrows(InvalidInputException.class, () -> Problem.parse("linear 3x4x5 swish f32"));
    }
}
