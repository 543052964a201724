package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.backend.opencl.check.FormulaChecks;
import dev.heed.backend.opencl.check.MatrixBackwardCheck;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.EngineOptions;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.backend.opencl.kernels.MatrixBackward;
import dev.heed.mask.Mask;
import dev.heed.opencl.Contexts;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import dev.heed.verify.Case;
import dev.heed.verify.CaseGrid;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the gradients of the kernels for matrix units, whose instructions are emulated, with the reference. */
@Tag("slow")
class OpenClMatrixBackwardTest {
    private static final TileSizes SMALL = new TileSizes(8, 4, 2, 2, 8);

    /** Bytes of device memory: too few for each case of {@link #chunked} in one chunk, but enough for the self-checks. */
    private static final long LITTLE = 120_000;

    private static OpenClBackend backend(boolean small) {
        var backend = OpenClBackends.with(Engine.Family.MMA, small ? SMALL : null, Device::open);
        assumeTrue(
                backend.notReadyReasons().isEmpty(),
                () -> backend.notReadyReasons().toString());
        return backend;
    }

    private static void passes(String text, boolean small) {
        try (var backend = backend(small)) {
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assumeTrue(verdict.status() != Verdict.Status.SKIP, verdict.message());
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
            assertEquals(List.of(), backend.refusals());
        }
    }

    /** Runs a sixth of the grid's f32 backward cases, each in f16 or bf16; with {@code -Dheed.full=true}, runs all of them. */
    @TestFactory
    Stream<DynamicTest> gradientsOfTheGrid() {
        return CaseGrid.quick().entrySet().stream()
                .filter(group -> !group.getKey().equals("scores"))
                .flatMap(group -> group.getValue().stream())
                .filter(c -> c.problem() instanceof AttentionProblem)
                .map(Case::toString)
                .filter(text -> text.contains(" f32") && text.contains(" backward"))
                .filter(text -> Boolean.getBoolean("heed.full") || Math.floorMod(text.hashCode(), 6) == 0)
                .map(text -> text.replace(" f32", text.hashCode() / 6 % 2 == 0 ? " f16" : " bf16")
                        .replaceAll(" (weights|topk=\\d+)", ""))
                .distinct()
                .map(text -> dynamicTest(text, () -> passes(text, true)));
    }

    /** Tests lengths that need several small tiles, with masks, bias, ALiBi, softcap and sinks. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x2x35x20 kv1x40 dv9 f16 mask=causal:br sink poison backward",
                "q2x4x37x30 kv2x53 dv30 bf16 mask=window:9,3:br backward",
                "q1x2x17x30 kv1x33 f16 bias=1x2x17x33 softcap=5.0 backward",
                "q1x2x17x30 kv1x33 bf16 bias=17x33 alibi sink mask=causal:tl backward",
                "q1x2x33x70 kv1x17 bf16 mask=dense:1x1x33x17 backward",
                "q1x2x65x16 kv1x1 f16 backward",
                "q1x2x3x33 kv2x90 dv40 f16 mask=keylens poison backward",
            })
    void smallTiles(String text) {
        passes(text, true);
    }

    /** Tests a device with little memory, so that gradients are summed over several blocks of queries and of keys. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x2x300x40 kv1x340 dv24 bf16 mask=window:90,30:br sink backward",
                "q1x2x150x24 kv1x200 f16 bias=1x2x150x200 softcap=4.0 backward",
            })
    void chunked(String text) {
        try (var backend = OpenClBackends.with(Engine.Family.MMA, SMALL, device -> Contexts.limited(device, LITTLE))) {
            assumeTrue(
                    backend.notReadyReasons().isEmpty(),
                    () -> backend.notReadyReasons().toString());
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
            assertEquals(List.of(), backend.refusals());
        }
    }

    /** Tests the tile sizes of the shipped table, with lengths that need several tiles. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x4x140x50 kv2x200 dv30 bf16 mask=causal:br sink poison backward",
                "q1x2x65x96 kv1x131 f16 mask=window:40,5:br bias=1x2x65x131 softcap=10.0 backward",
                "q1x4x70x128 kv2x140 bf16 mask=causal:br backward",
                "q1x1x70x192 kv1x80 dv128 f16 mask=keylens poison backward",
                "q1x1x70x256 kv1x70 bf16 mask=dense:1x1x70x70 backward",
            })
    void theTilesOfAGpu(String text) {
        passes(text, false);
    }

    /**
     * Runs the self-checks, including gradients that must be exactly zero. The lines with f16 check one half of the forms, the
     * lines with bf16 the other half; with {@code -Dheed.full=true}, every line checks all forms of its type.
     */
    @ParameterizedTest
    @CsvSource({"64, 64, F16", "96, 96, BF16", "128, 128, F16", "192, 128, BF16", "256, 256, F16"})
    void theSelfChecks(long width, long valueWidth, DType type) {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        Device device = OpenCl.selected().device().orElseThrow();
        try (DeviceContext context = device.open();
                var engine = new Engine(
                        context, new EngineOptions(Engine.Family.MMA, true, null, true, false, new FormulaChecks()))) {
            MatrixTiles queries = MatrixTiles.shipped(device, MatrixBackward.QUERIES, width, valueWidth)
                    .orElseThrow();
            MatrixTiles keys = MatrixTiles.shipped(device, MatrixBackward.KEYS, width, valueWidth)
                    .orElseThrow();
            for (boolean modified : new boolean[] {false, true}) {
                for (boolean whole : new boolean[] {true, false}) {
                    if (!Boolean.getBoolean("heed.full") && (modified == whole) == (type == DType.F16)) {
                        continue;
                    }
                    var form = new MatrixForm(type, modified, false, whole);
                    assertNull(MatrixBackwardCheck.failure(engine, queries, keys, form), form::toString);
                }
            }
        }
    }

    /** Six backward passes must give the same bits, although work-groups end in any order and query heads share keys. */
    @Test
    void theBitsRepeat() {
        var random = new Random(5);
        Tensor query = elements(random, 4, 70, 24);
        Tensor key = elements(random, 2, 90, 24);
        Tensor value = elements(random, 2, 90, 20);
        Tensor outputGradient = elements(random, 4, 70, 20);
        AttentionInputs inputs =
                AttentionInputs.of(query, key, value, AttentionOptions.DEFAULT.withMask(Mask.causal()));
        try (var backend = backend(true);
                AttentionPlan plan = backend.plan(inputs.problem())) {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            plan.forward(inputs, result);
            AttentionGradients first = AttentionGradients.allocate(inputs);
            plan.backward(inputs, result, outputGradient, null, first);
            for (int n = 0; n < 5; n++) {
                AttentionGradients again = AttentionGradients.allocate(inputs);
                plan.backward(inputs, result, outputGradient, null, again);
                assertArrayEquals(first.query().toDoubleArray(), again.query().toDoubleArray());
                assertArrayEquals(first.key().toDoubleArray(), again.key().toDoubleArray());
                assertArrayEquals(first.value().toDoubleArray(), again.value().toDoubleArray());
            }
        }
    }

    private static Tensor elements(Random random, int heads, int rows, int width) {
        float[] elements = new float[heads * rows * width];
        for (int n = 0; n < elements.length; n++) {
            elements[n] = (float) random.nextGaussian();
        }
        return Tensor.of(elements, 1, heads, rows, width).to(DType.BF16);
    }
}
