package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.Contexts;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.OpenCl;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests all operations of the backend, forward and backward, with device memory limited to a quarter of the main tensors' bytes.
 * Results are compared with the reference; the limit must not be exceeded, and all memory must be released.
 */
@Tag("slow")
class OpenClChunksTest {
    private static final long CHUNKS = 4;

    @BeforeEach
    void needADevice() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q6x4x64x32 kv2x64 f32 lse backward",
                "q1x6x190x32 kv3x220 f32 mask=causal:br lse backward",
                "q1x1x800x48 kv1x900 f32 sink lse backward",
                "q1x2x900x40 kv1x1500 dv24 bf16 mask=window:200,30:br lse backward",
                "q1x2x350x16 kv2x460 f32 bias=1x2x350x460 softcap=10.0 sink lse backward",
                "q2x2x390x16 kv1x430 f32 bias=430 alibi mask=dense:2x1x390x430 backward",
                "q1x2x70x16 kv2x350 f32 dropout=0.2 mask=causal:tl lse backward",
                "q1x1x530x24 kv1x800 f64 mask=keylens lse backward",
            })
    void backwardOfAttention(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x1x40x32 kv1x3000 f32 mask=causal:br topk=5",
                "q2x2x16x32 kv1x1500 f32 mask=keylens topk=3 weights lse",
                "q1x1x1x64 kv1x9000 f16 topk=8",
            })
    void theLargestWeights(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mha in=64x64x64 out=64 biases=qkvo q3x4x60x16 kv2x70 f32 lse backward",
                "mha in=96x40x56 out=30 q1x4x150x12 kv4x170 dv20 f32 mask=causal:br bias=150x170 sink backward",
                "mha in=64x64x64 out=64 biases=qkvo q2x4x390x16 kv2x390 bf16 mask=causal:br lse topk=3 backward",
                "mha in=33x33x33 out=21 biases=vo q1x3x280x11 kv1x390 f64 backward",
            })
    void multiHead(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q2x4x150x16 kv2x200 f32 score=additive:10,bias,heads mask=causal:br lse backward",
                "q1x2x800x24 kv1x1000 dk30 f32 score=general backward",
                "q2x2x200x16 kv2x260 f32 score=cosine:learned,2x2x200 sink backward",
                "q1x4x240x40 kv2x700 f32 score=location:720 mask=window:100,30:br topk=3 backward",
                "q1x2x150x16 kv2x200 f64 score=gaussian:learned,heads bias=1x2x150x200 backward",
                "mha in=64x64x64 out=64 biases=qkvo q2x4x190x16 kv2x190 f32 score=concat:12 mask=causal:br backward",
            })
    void scoreFunctions(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "softmax 300x400 axis=1 f32 backward",
                "log-softmax 20x30x50 axis=1 f32 backward",
                "softmax 1x200000 axis=1 f32 backward",
                "log-softmax 3x120000 axis=1 f32 backward",
                "softmax 7x11x900 axis=2 bf16 backward",
            })
    void softmax(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "linear 700x90x110 bias gelu f32 backward",
                "linear 90x900x60 bias f32 backward",
                "linear 60x70x900 bias relu bf16 backward",
                "linear 300x200x100 tanh f64 backward",
            })
    void linear(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rotary 3x4x100x32 f32 backward",
                "rotary 1x1x900x64 dim=32 interleaved f32 backward",
                "rotary 2x3x150x32 positions f32 backward",
                "rotary 1x8x300x16 positions bf16 backward",
            })
    void rotary(String text) {
        check(text);
    }

    private static void check(String text) {
        Case whole = Case.parse(text);
        long bytes = bytes(whole.problem()) / CHUNKS;
        for (Engine.Family family : Engine.Family.values()) {
            var context = new AtomicReference<DeviceContext>();
            try (var backend = OpenClBackends.with(family, new TileSizes(8, 8, 4, 4, 8), device -> {
                context.set(Contexts.limited(device, bytes));
                return context.get();
            })) {
                Verdict verdict = new Verifier(backend).check(whole);
                assertSame(Verdict.Status.PASS, verdict.status(), () -> family + ", " + bytes + " bytes\n" + verdict);
                assertEquals(0, backend.memoryInUse());
                assertTrue(
                        context.get().memory().peakBytes() <= bytes,
                        () -> bytes + ", " + context.get().memory());
            }
        }
    }

    /** {@return bytes of the main tensors of one forward pass: inputs, weights, projections and output} */
    private static long bytes(Problem problem) {
        return switch (problem) {
            case AttentionProblem p -> attention(p) * p.type().bytes();
            case MultiHeadProblem p -> multiHead(p) * p.attention().type().bytes();
            case SoftmaxProblem p ->
                2
                        * Arrays.stream(p.sizes()).reduce(1, (a, b) -> a * b)
                        * p.type().bytes();
            case LinearProblem p ->
                (p.rows() * p.in() + p.in() * p.out() + p.rows() * p.out())
                        * p.type().bytes();
            case RotaryProblem p ->
                2
                        * p.batch()
                        * p.numHeads()
                        * p.seqLen()
                        * p.headDim()
                        * p.type().bytes();
        };
    }

    private static long attention(AttentionProblem p) {
        AttentionShape s = p.shape();
        long queries = s.batch() * s.numHeads() * s.seqLenQ();
        long keys = s.batch() * s.numKvHeads() * s.seqLenKv();
        return (queries + keys) * (s.headDim() + s.valueHeadDim());
    }

    private static long multiHead(MultiHeadProblem p) {
        AttentionShape s = p.attention().shape();
        return s.batch() * s.seqLenQ() * (p.embedQ() + p.embedOut())
                + s.batch() * s.seqLenKv() * (p.embedK() + p.embedV())
                + s.numHeads() * (p.embedQ() * s.headDim() + p.embedOut() * s.valueHeadDim())
                + s.numKvHeads() * (p.embedK() * s.headDim() + p.embedV() * s.valueHeadDim())
                + attention(p.attention());
    }
}
