package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.Device;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the backend contract with the portable kernels for GPUs, on any device. The tiles are small and not square, so that every
 * length of the contract needs several tiles.
 */
@Tag("slow")
class OpenClTilesTest extends AttentionBackendContract {
    private static final TileSizes SMALL = new TileSizes(8, 4, 2, 2, 8);

    @Override
    protected AttentionBackend backend() {
        return OpenClBackends.with(Engine.Family.TILES, SMALL, Device::open);
    }

    /**
     * Selects a fifth of the cases of the group {@code scores}, because score functions need many kernels, and a CPU device takes
     * seconds to build a kernel with work-groups. {@code OpenClBackendTest} runs all cases with the device's default kernels;
     * {@code -Dheed.full=true} selects all cases here too.
     */
    @Override
    public boolean takes(String group, int index) {
        return !group.equals("scores") || index % 5 == 0 || Boolean.getBoolean("heed.full");
    }

    /** Tests the device's default tile sizes instead of small tiles, with lengths that need several tiles. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x2x129x64 kv2x257 f32 lse backward",
                "q1x4x70x80 kv2x150 dv130 f32 mask=causal:br lse sink poison backward",
                "q1x2x65x20 kv1x67 bf16 mask=window:20,5:br bias=1x2x65x67 softcap=10.0 lse weights topk=3",
                "q2x8x1x128 kv2x1000 f32 lse",
                "q1x2x70x20 kv1x150 f32 score=additive:plain,heads mask=causal:br lse backward",
                "q1x4x66x40 kv2x90 bf16 score=gaussian:learned,heads softcap=5.0 topk=3 backward",
                "q1x4x2x40 kv2x150 f32 score=additive:12,bias,heads mask=keylens poison backward",
                "mha in=48x20x28 out=40 biases=qkvo q2x6x70x10 kv2x75 dv12 f32 lse backward",
            })
    void theTilesOfAGpu(String text) {
        try (var backend = OpenClBackends.with(Engine.Family.TILES, null, Device::open)) {
            assumeTrue(
                    backend.notReadyReasons().isEmpty(),
                    () -> backend.notReadyReasons().toString());
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
        }
    }
}
