package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.EditedPrograms;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests a device that computes wrong results with a kernel for matrix units, and one that cannot compile the kernel. The
 * self-check must find the fault, portable kernels must compute the right result, and the backend must report the reason. The
 * instructions of matrix units are emulated.
 */
@Tag("slow")
class OpenClMatrixFallbackTest {
    private static final TileSizes SMALL = new TileSizes(8, 4, 2, 2, 8);
    private static final String ADDS = "c[e] = fma(";

    @ParameterizedTest
    @CsvSource({
        "prefill_mma, q1x2x40x32 kv2x50 bf16 mask=causal:br lse",
        "prefill_mma, q1x2x40x30 kv2x50 f16 softcap=5.0",
        "prefill_mma, q1x2x40x32 kv2x50 f32 tf32",
        "decode_mma, q1x4x1x64 kv1x70 f16 lse",
        "product_mma, linear 40x70x50 bias bf16",
        "backward_mma, q1x2x20x16 kv1x30 f16 bias=20x30 backward",
    })
    void portableKernelsCompute(String kernel, String text) {
        List<String> wrong = refusals(text, edited(kernel, ADDS, "c[e] = 0.5f * fma("));
        assertEquals(1, wrong.size(), wrong::toString);
        assertTrue(wrong.getFirst().matches(".*: expected .*, got .*"), wrong::toString);

        List<String> broken = refusals(text, edited(kernel, "kernel __attribute__", "no kernel __attribute__"));
        assertEquals(1, broken.size(), broken::toString);
        assertTrue(broken.getFirst().contains(kernel), broken::toString);
    }

    private static UnaryOperator<String> edited(String kernel, String what, String with) {
        return source -> {
            if (!source.contains(" " + kernel + "(")) {
                return source;
            }
            String changed = source.replace(what, with);
            assertNotEquals(source, changed);
            return changed;
        };
    }

    /** {@return the failed self-checks of a case, whose result must pass the comparison with the reference} */
    private static List<String> refusals(String text, UnaryOperator<String> edit) {
        try (var backend = OpenClBackends.with(Engine.Family.MMA, SMALL, device -> EditedPrograms.open(device, edit))) {
            assumeTrue(
                    backend.notReadyReasons().isEmpty(),
                    () -> backend.notReadyReasons().toString());
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
            List<String> refusals = backend.refusals();
            for (String refusal : refusals) {
                assertTrue(backend.devices().contains("portable kernels instead of matrix units: " + refusal));
            }
            return refusals;
        }
    }
}
