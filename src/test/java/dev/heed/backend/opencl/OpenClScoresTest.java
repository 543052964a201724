package dev.heed.backend.opencl;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.RandomTensors;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceArena;
import dev.heed.tensor.Tensor;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests score functions that have parameters: with tensors and parameters on the device, and in multi-head attention. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class OpenClScoresTest {
    private static final int BATCH = 2;
    private static final int HEADS = 4;
    private static final int QUERIES = 19;
    private static final int KEYS = 26;
    private static final int WIDTH = 12;
    private static final int PROJECTED_DIM = 10;

    private final OpenClBackend backend = new OpenClBackend();

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

    static List<ScoreFunction> scores() {
        var random = new RandomTensors(11);
        return List.of(
                ScoreFunction.cosine(random.normal(DType.F32, HEADS, 1)),
                ScoreFunction.general(random.normal(DType.F32, HEADS, WIDTH, WIDTH)),
                ScoreFunction.location(random.normal(DType.F32, WIDTH, KEYS + 3)),
                ScoreFunction.additive(random.normal(DType.F32, WIDTH)),
                ScoreFunction.additive(
                        random.normal(DType.F32, HEADS, WIDTH, PROJECTED_DIM),
                        random.normal(DType.F32, HEADS, WIDTH, PROJECTED_DIM),
                        random.normal(DType.F32, HEADS, PROJECTED_DIM),
                        random.normal(DType.F32, HEADS, PROJECTED_DIM)),
                ScoreFunction.concat(
                        random.normal(DType.F32, 2 * WIDTH, PROJECTED_DIM), random.normal(DType.F32, PROJECTED_DIM)),
                ScoreFunction.gaussian(random.normal(DType.F32, 1)));
    }

    @ParameterizedTest
    @MethodSource("scores")
    void parametersAndTensorsMayBeOnTheDevice(ScoreFunction score) {
        List<Tensor> host = gradients(score, UnaryOperator.identity(), Tensor::zeros);
        long before = backend.memoryInUse();
        try (DeviceArena arena = backend.arena()) {
            List<Tensor> device = gradients(score.map(arena::upload), arena::upload, arena::allocate);
            for (int n = 0; n < host.size(); n++) {
                assertSameBits(host.get(n), device.get(n).toHost());
            }
        }
        assertEquals(before, backend.memoryInUse());
    }

    private List<Tensor> gradients(ScoreFunction score, UnaryOperator<Tensor> place, AttentionResult.Allocator memory) {
        var random = new RandomTensors(5);
        AttentionInputs inputs = AttentionInputs.of(
                place.apply(random.normal(DType.F32, BATCH, HEADS, QUERIES, WIDTH)),
                place.apply(random.normal(DType.F32, BATCH, 2, KEYS, WIDTH)),
                place.apply(random.normal(DType.F32, BATCH, 2, KEYS, WIDTH)),
                AttentionOptions.DEFAULT.causal().withScore(score).withLse());
        AttentionResult result = AttentionResult.allocate(inputs.problem(), memory);
        AttentionGradients gradients = AttentionGradients.allocate(inputs, memory);
        try (AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
            plan.backward(inputs, result, result.output(), null, gradients);
        }
        List<Tensor> all =
                new ArrayList<>(List.of(result.output(), gradients.query(), gradients.key(), gradients.value()));
        if (gradients.score() != null) {
            all.addAll(gradients.score().parameters().values());
        }
        return all;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mha in=24x24x24 out=24 biases=qkvo q2x4x30x12 kv2x33 f32 score=additive:plain lse backward",
                "mha in=24x20x28 out=17 biases=qo q2x4x30x12 kv2x33 dv9 f32 score=general:heads sink backward",
                "mha in=24x24x24 out=24 q1x4x40x12 kv4x21 bf16 score=gaussian:learned,heads mask=causal:br backward",
                "mha in=24x24x24 out=24 q2x4x20x12 kv2x33 f64 score=location:33,heads backward",
                "mha in=24x24x24 out=24 biases=v q2x4x20x12 kv1x33 f16 score=cosine:learned,2x4x20 topk=2 backward",
            })
    void betweenProjections(String text) {
        Verdict verdict = new Verifier(backend).check(Case.parse(text));
        assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
    }

    @Test
    void aFunctionInJavaIsRefusedWithAReason() {
        List<String> reasons =
                backend.notSupportedReasons(AttentionProblem.parse("q1x2x3x4 kv2x5 f32 score=custom:manhattan"));
        assertEquals(1, reasons.size());
        assertTrue(reasons.getFirst().contains("the CPU backends support it"), reasons::toString);
    }
}
