package dev.heed.backend.opencl;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.backend.opencl.check.FormulaChecks;
import dev.heed.backend.opencl.check.MatrixCheck;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.EngineOptions;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixProbe;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.MatrixUnits;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.mask.CausalAlignment;
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
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the backend contract with the kernels for matrix units. The instructions are emulated, but indices and barriers are the
 * same as on matrix units. The tiles are so small that every length of the contract needs several tiles.
 */
@Tag("slow")
class OpenClMatrixTest extends AttentionBackendContract {
    private static final TileSizes SMALL = new TileSizes(8, 4, 2, 2, 8);
    private static final EngineOptions ENGINE =
            new EngineOptions(Engine.Family.MMA, true, SMALL, true, false, new FormulaChecks());

    @Override
    protected AttentionBackend backend() {
        return OpenClBackends.with(Engine.Family.MMA, SMALL, Device::open);
    }

    /** Selects the cases in f16, bf16 and tf32. Portable kernels compute the others; {@code OpenClTilesTest} tests them. */
    @Override
    public boolean takes(String group, int index) {
        return isOurs(CaseGrid.quick().getOrDefault(group, List.of()), index)
                || (Boolean.getBoolean("heed.full") && isOurs(CaseGrid.full().get(group), index));
    }

    private static boolean isOurs(List<Case> cases, int index) {
        return index < cases.size() && (cases.get(index) + " ").matches(".* (b?f16|tf32) .*");
    }

    /** Runs an eighth of the grid's f32 attentions, each in f16 or bf16; with {@code -Dheed.full=true}, runs all of them. */
    @TestFactory
    Stream<DynamicNode> everyAttentionOfTheGridInSixteenBits() {
        var verifier = new Verifier(subject());
        return CaseGrid.quick().entrySet().stream()
                .filter(group -> !group.getKey().equals("scores"))
                .flatMap(group -> group.getValue().stream())
                .filter(c -> Boolean.getBoolean("heed.full")
                        || Math.floorMod(c.toString().hashCode(), 8) == 0)
                .filter(c -> c.problem() instanceof AttentionProblem)
                .map(Case::toString)
                .filter(text -> text.contains(" f32"))
                .map(text -> text.replace(" f32", text.hashCode() % 2 == 0 ? " f16" : " bf16")
                        .replaceAll(" (backward|weights|topk=\\d+)", ""))
                .distinct()
                .map(text -> dynamicTest(text, () -> {
                    Verdict verdict = verifier.check(Case.parse(text));
                    assumeTrue(verdict.status() != Verdict.Status.SKIP, verdict.message());
                    assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
                }));
    }

    /** Runs a sixteenth of the grid's f32 attentions with TF32 permission; with {@code -Dheed.full=true}, runs all of them. */
    @TestFactory
    Stream<DynamicNode> attentionsOfTheGridInTf32() {
        var verifier = new Verifier(subject());
        return CaseGrid.quick().entrySet().stream()
                .filter(group ->
                        !group.getKey().equals("scores") && !group.getKey().equals("tf32"))
                .flatMap(group -> group.getValue().stream())
                .filter(c -> Boolean.getBoolean("heed.full")
                        || Math.floorMod(c.toString().hashCode(), 16) == 3)
                .filter(c -> c.problem() instanceof AttentionProblem)
                .map(Case::toString)
                .filter(text -> text.contains(" f32"))
                .map(text -> text.replaceAll(" (backward|weights|topk=\\d+)", "") + " tf32")
                .distinct()
                .map(text -> dynamicTest(text, () -> {
                    Verdict verdict = verifier.check(Case.parse(text));
                    assumeTrue(verdict.status() != Verdict.Status.SKIP, verdict.message());
                    assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
                }));
    }

    /** Results with and without TF32 permission must differ by the error of tf32: tf32 must be used only with permission. */
    @Test
    void tf32IsComputedWhereItIsAllowedOnly() {
        double[] exact = outputs("");
        double[] allowed = outputs(" tf32");
        double most = 0;
        for (int i = 0; i < exact.length; i++) {
            most = Math.max(most, Math.abs(exact[i] - allowed[i]));
        }
        assertTrue(most > 0x1p-16 && most < 0x1p-7, "largest difference " + most);
    }

    private double[] outputs(String words) {
        var problem = AttentionProblem.parse("q1x2x40x32 kv2x50 f32" + words);
        var random = new Random(3);
        Tensor[] in = new Tensor[3];
        for (int n = 0; n < in.length; n++) {
            float[] elements = new float[2 * (n == 0 ? 40 : 50) * 32];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextGaussian();
            }
            in[n] = Tensor.of(elements, 1, 2, n == 0 ? 40 : 50, 32);
        }
        AttentionOptions options = problem.tf32() ? AttentionOptions.DEFAULT.withTf32() : AttentionOptions.DEFAULT;
        var result = AttentionResult.allocate(problem);
        assumeTrue(subject().notReadyReasons().isEmpty());
        try (var plan = subject().plan(problem)) {
            plan.forward(AttentionInputs.of(in[0], in[1], in[2], options), result);
        }
        return result.output().toDoubleArray();
    }

    /** A masked value that tf32 rounds to infinity must not change the bits of the rows that do not attend to it. */
    @Test
    void theLargestElementOfAMaskedValueIsNotRead() {
        Qkv qkv = Qkv.of("q1x1x20x16 kv1x20 f32");
        AttentionOptions options = AttentionOptions.DEFAULT.withTf32().withMask(Mask.causal(CausalAlignment.TOP_LEFT));
        Qkv padded = Qkv.of("q1x1x20x16 kv1x20 f32");
        padded.value().select(2, 19).fill(Float.MAX_VALUE);
        Tensor clean = forward(qkv.with(options)).output().slice(2, 0, 19);
        assertSameBits(clean, forward(padded.with(options)).output().slice(2, 0, 19));
    }

    @Test
    void everyInstruction() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        try (DeviceContext context = OpenCl.selected().device().orElseThrow().open()) {
            assertEquals(List.of(), new MatrixProbe(context, false).reasons());
            assertEquals(List.of(), new MatrixProbe(context, false).tf32Reasons());
        }
    }

    /** A program that fails its self-check must not be used later either, and the reason must be reported. */
    @Test
    void aSelfCheckThatFails() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        try (DeviceContext context = OpenCl.selected().device().orElseThrow().open()) {
            MatrixUnits units = MatrixUnits.of(context, ENGINE);
            for (int n = 0; n < 2; n++) {
                assertFalse(units.isRight("product", () -> "3 is not 4"));
                assertTrue(units.isRight("decode", () -> null));
                assertFalse(units.isRight("prefill", () -> {
                    throw new IllegalStateException("no program\nand more");
                }));
            }
            assertEquals(List.of("3 is not 4", "no program"), units.failures());
        }
    }

    /** If a self-check fails for lack of memory, the next call must repeat it. */
    @Test
    void aSelfCheckWithoutMemory() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        try (DeviceContext context = Contexts.limited(OpenCl.selected().device().orElseThrow(), Short.MAX_VALUE)) {
            MatrixUnits units = MatrixUnits.of(context, ENGINE);
            assertFalse(units.isRight("decode", () -> {
                context.allocate(1 << 20);
                return null;
            }));
            assertEquals(1, units.failures().size(), () -> units.failures().toString());
            assertTrue(units.isRight("decode", () -> null));
            assertEquals(List.of(), units.failures());
        }
    }

    /** Runs the self-checks of half of the forms for each line; with {@code -Dheed.full=true}, runs all of them. */
    @ParameterizedTest
    @CsvSource({
        "prefill, 64, 64, F16, 0",
        "prefill, 96, 96, BF16, 1",
        "prefill, 128, 128, F16, 0",
        "prefill, 192, 128, BF16, 1",
        "prefill, 256, 256, F16, 0",
        "prefill-tf32, 64, 64, F32, 1",
        "prefill-tf32, 96, 96, F32, 0",
        "prefill-tf32, 128, 128, F32, 1",
        "decode, 64, 64, F16, 0",
        "decode, 96, 96, BF16, 1",
        "decode, 128, 128, F16, 0",
        "decode, 192, 128, BF16, 1",
        "decode, 256, 256, F16, 0"
    })
    void theSelfChecks(String phase, long width, long valueWidth, DType type, int turn) {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        Device device = OpenCl.selected().device().orElseThrow();
        try (DeviceContext context = device.open();
                var engine = new Engine(
                        context, new EngineOptions(Engine.Family.MMA, true, null, true, false, new FormulaChecks()))) {
            MatrixTiles tiles =
                    MatrixTiles.shipped(device, phase, width, valueWidth).orElseThrow();
            for (boolean whole : new boolean[] {true, false}) {
                for (int scores = 0; scores < 3; scores++) {
                    if (!Boolean.getBoolean("heed.full") && (scores + (whole ? 1 : 0)) % 2 == turn) {
                        continue;
                    }
                    var form = new MatrixForm(type, scores == 0, scores == 1, whole);
                    assertNull(
                            phase.equals("decode")
                                    ? MatrixCheck.ofDecode(engine, tiles, form)
                                    : MatrixCheck.ofPrefill(engine, tiles, form),
                            form::toString);
                }
            }
        }
    }

    /** Tests the tile sizes of the shipped table, with lengths that need several tiles. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x2x129x64 kv1x150 f16 lse backward",
                "q1x4x140x50 kv2x200 dv30 bf16 mask=causal:br lse sink poison",
                "q1x2x65x96 kv1x131 f16 mask=window:40,5:br bias=1x2x65x131 softcap=10.0 lse",
                "q1x4x70x128 kv2x140 bf16 mask=causal:br lse",
                "q1x1x70x192 kv1x80 dv128 f16 mask=keylens lse poison",
                "q1x1x70x256 kv1x70 bf16 mask=dense:1x1x70x70 lse",
                "q1x2x40x60 kv2x1 dv36 f16 lse",
                "q2x8x1x64 kv2x300 f16 lse",
                "q1x6x2x60 kv2x270 dv33 bf16 mask=causal:br sink poison lse",
                "q1x4x3x96 kv1x200 f16 mask=window:40,5:br bias=1x4x3x200 softcap=10.0 alibi lse",
                "q2x16x1x128 kv1x530 bf16 mask=keylens poison lse",
                "q1x5x1x192 kv1x150 dv128 f16 lse",
                "q3x2x2x128 kv1x700 f16 mask=window:150,0:br&keylens poison lse",
                "q1x4x4x256 kv1x140 bf16 mask=dense:1x1x4x140 poison lse",
                "q1x2x8x256 kv1x70 dv200 f16 mask=causal:tl softcap=3.0 lse",
                "linear 140x70x150 bias gelu f16 backward",
                "linear 520x100x136 bias bf16 backward",
                "linear 67x40x9 f16 backward",
                "linear 1x300x72 bias bf16",
                "linear 21x333x50 bias tanh bf16 backward",
                "mha in=40x40x40 out=24 biases=qo q1x2x18x16 kv1x18 bf16 backward",
                "q1x2x129x64 kv1x150 f32 lse tf32 backward",
                "q1x2x65x96 kv1x131 f32 mask=window:40,5:br bias=1x2x65x131 softcap=10.0 lse tf32",
                "q1x4x70x128 kv2x140 f32 mask=causal:br sink lse tf32 poison",
            })
    void theTilesOfAGpu(String text) {
        try (var backend = OpenClBackends.with(Engine.Family.MMA, null, Device::open)) {
            assumeTrue(
                    backend.notReadyReasons().isEmpty(),
                    () -> backend.notReadyReasons().toString());
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
            assertEquals(List.of(), backend.refusals());
        }
    }
}
