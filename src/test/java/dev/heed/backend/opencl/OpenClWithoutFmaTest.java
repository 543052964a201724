package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.EditedPrograms;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests that results stay within the error budget if the driver cannot link {@code fma}, like Mesa's driver if Mesa's libclc
 * lacks a patch.
 */
@Tag("slow")
class OpenClWithoutFmaTest {
    private static final TileSizes SMALL = new TileSizes(8, 4, 2, 2, 8);

    @ParameterizedTest
    @CsvSource({
        "LANES, q1x2x40x20 kv2x50 f32 mask=causal:br lse backward",
        "LANES, linear 9x33x20 bias gelu f32 backward",
        "LANES, softmax 5x257 axis=1 f32 backward",
        "TILES, q1x2x40x20 kv2x50 f16 mask=causal:br softcap=5.0 lse",
        "TILES, q1x4x1x64 kv1x70 f32 lse",
        "MMA, q1x2x40x32 kv2x50 bf16 mask=causal:br lse values=large",
    })
    void resultsKeepTheErrorBudget(Engine.Family family, String text) {
        var refused = new AtomicInteger();
        try (var backend = OpenClBackends.with(
                family,
                SMALL,
                device -> EditedPrograms.open(device, source -> {
                    refused.addAndGet(source.startsWith("kernel void call(") ? 1 : 0);
                    return "#ifndef HAS_FMA\n#define fma(a, b, c) is_not_linked(a, b, c)\n#endif\n" + source;
                }))) {
            assumeTrue(
                    backend.notReadyReasons().isEmpty(),
                    () -> backend.notReadyReasons().toString());
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
            assertEquals(1, refused.get(), "fma must be tried once");
            assertTrue(backend.refusals().isEmpty(), () -> backend.refusals().toString());
        }
    }
}
