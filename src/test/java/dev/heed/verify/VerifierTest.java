package dev.heed.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.BrokenBackend;
import dev.heed.Problem;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Tests that the verifier passes a correct backend and detects every fault that it is designed to detect. */
class VerifierTest {
    private static final String CAUSAL = "q1x2x9x16 kv2x13 f32 lse mask=causal:br backward";

    @Test
    void withoutAFaultEverythingPasses() {
        for (String text :
                List.of(CAUSAL, CAUSAL + " layout=padded", CAUSAL + " topk=3 weights rows=2 layout=native")) {
            Verdict verdict = new Verifier(new BrokenBackend()).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
            assertTrue(verdict.nanos() > 0);
            assertTrue(verdict.measures().size() >= 5);
        }
    }

    @Test
    void aWrongScaleFails() {
        assertFails(misreading(o -> o.withScale(0.2501)), "q1x2x9x16 kv2x13 f32", "output");
    }

    @Test
    void anIgnoredMaskFails() {
        assertFails(misreading(o -> o.withMask(Mask.NONE)), CAUSAL, "output");
        assertFails(misreading(o -> o.withMask(Mask.NONE)), "q2x2x4x16 kv2x9 f32 mask=keylens poison", "output");
    }

    @Test
    void aWindowThatIsOneKeyTooWideFails() {
        assertFails(
                misreading(o -> o.withMask(new Mask.Window(4, 0, CausalAlignment.BOTTOM_RIGHT))),
                "q1x2x9x16 kv2x13 f32 mask=window:3,0:br",
                "output");
    }

    @Test
    void theOtherAlignmentFails() {
        assertFails(misreading(o -> o.withMask(Mask.causal(CausalAlignment.TOP_LEFT))), CAUSAL, "output");
    }

    @Test
    void aForgottenSoftcapBiasSinkOrSlopeFails() {
        String sizes = "q1x2x9x16 kv2x13 f32 ";
        assertFails(misreading(o -> o.withSoftcap(null)), sizes + "softcap=2.0", "output");
        assertFails(misreading(o -> o.withBias(null)), sizes + "bias=13", "output");
        assertFails(misreading(o -> o.withSink(null)), sizes + "sink", "output");
        assertFails(misreading(o -> o.withAlibi(null)), sizes + "alibi", "output");
    }

    @Test
    void anotherDropoutSeedFails() {
        assertFails(misreading(o -> o.withDropout(0.5, 12)), "q1x2x9x16 kv2x13 f32 dropout=0.5", "output");
    }

    @Test
    void anLseInTheWrongBaseFails() {
        var broken = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                Tensor lse = result.lse();
                if (lse != null) {
                    lse.set(lse.get(0, 1, 3) / Math.log(2), 0, 1, 3);
                }
            }
        };
        assertFails(broken, "q1x2x9x16 kv2x13 f32 lse", "lse");
    }

    @Test
    void oneElementOffByAThousandUlpsFails() {
        var broken = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                double value = result.output().get(0, 1, 8, 15);
                result.output().set(value + 1000 * Math.ulp((float) value), 0, 1, 8, 15);
            }
        };
        assertFails(broken, "q1x2x9x16 kv2x13 f32", "output");
    }

    @Test
    void nanInAnEmptyRowFails() {
        var broken = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                result.output().set(Double.NaN, 0, 0, 0, 0);
            }
        };
        assertFails(broken, "q1x1x5x8 kv1x2 f32 mask=causal:br", "output");
    }

    @Test
    void wrongGradientsFail() {
        for (String name : List.of("query", "key", "value", "bias", "sink")) {
            var broken = new BrokenBackend() {
                @Override
                protected void spoil(AttentionInputs inputs, AttentionGradients g) {
                    Tensor gradient = switch (name) {
                        case "query" -> g.query();
                        case "key" -> g.key();
                        case "value" -> g.value();
                        case "bias" -> g.bias();
                        default -> g.sink();
                    };
                    assertTrue(gradient != null);
                    long last = gradient.elementCount() - 1;
                    gradient.put(last, gradient.at(last) * 1.001 + 1e-4);
                }
            };
            assertFails(broken, "q1x2x9x16 kv2x13 f32 bias=2x1x13 sink backward", name + " gradient");
        }
    }

    @Test
    void gradientsThatAddToWhatWasThereFail() {
        var broken = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionGradients g) {
                g.key().set(2 * g.key().get(0, 0, 0, 0), 0, 0, 0, 0);
            }
        };
        assertFails(broken, CAUSAL, "key gradient");
    }

    @Test
    void aWriteOutsideTheTensorFails() {
        for (String layout : List.of("padded", "native")) {
            var broken = new BrokenBackend() {
                @Override
                protected void spoil(AttentionInputs inputs, AttentionResult result) {
                    Tensor output = result.output();
                    output.put(output.position(0, 1, 3, 15) + output.stride(3), 0);
                }
            };
            assertFails(broken, "q1x2x9x16 kv2x13 f32 layout=" + layout, "outside the tensor");
        }
    }

    @Test
    void wrongTopKKeysFail() {
        var swapped = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                Tensor keys = result.topKIndices();
                assertTrue(keys != null);
                keys.set((keys.get(0, 0, 2, 1) + 1) % 13, 0, 0, 2, 1);
            }
        };
        assertFails(swapped, "q1x2x9x16 kv2x13 f32 topk=3", "weights of top-k keys");
    }

    /** If all weights are equal, a key that is listed twice has the correct weight both times. */
    @Test
    void aTopKKeyNamedTwiceFails() {
        var twice = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                Tensor keys = result.topKIndices();
                assertTrue(keys != null);
                keys.set(keys.get(0, 0, 2, 0), 0, 0, 2, 1);
            }
        };
        assertFails(twice, "q1x2x9x16 kv2x13 f32 topk=3 values=constant", "top-k");
    }

    @Test
    void topKKeysOutsideTheTensorFail() {
        var wild = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                assertTrue(result.topKIndices() != null);
                result.topKIndices().set(13, 0, 0, 2, 1);
            }
        };
        assertFails(wild, "q1x2x9x16 kv2x13 f32 topk=3", "");
    }

    @Test
    void aBackendThatThrowsFails() {
        var throwing = new BrokenBackend() {
            @Override
            protected AttentionInputs misread(AttentionInputs inputs) {
                throw new IllegalStateException("the kernel did not compile");
            }
        };
        assertFails(throwing, CAUSAL, "threw java.lang.IllegalStateException: the kernel did not compile");
        var unlinked = new BrokenBackend() {
            @Override
            protected AttentionInputs misread(AttentionInputs inputs) {
                throw new NoClassDefFoundError("jdk/incubator/vector/FloatVector");
            }
        };
        assertFails(unlinked, CAUSAL, "threw java.lang.NoClassDefFoundError");
    }

    @Test
    void aBackendThatDoesNothingFails() {
        var idle = new BrokenBackend() {
            @Override
            protected void spoil(AttentionInputs inputs, AttentionResult result) {
                result.output().fill(0);
            }
        };
        assertFails(idle, CAUSAL, "output");
    }

    @Test
    void aRefusalIsSkippedWithItsReasons() {
        var picky = new BrokenBackend() {
            @Override
            public List<String> notSupportedReasons(Problem problem) {
                return List.of("headDim 16 > 8", "type f32 (supported: bf16)");
            }
        };
        Case checked = Case.parse(CAUSAL);
        Verdict verdict = new Verifier(picky).check(checked);
        assertSame(Verdict.Status.SKIP, verdict.status());
        assertEquals("headDim 16 > 8; type f32 (supported: bf16)", verdict.message());
        assertEquals("SKIP " + checked + " headDim 16 > 8; type f32 (supported: bf16)", verdict.toString());
    }

    @Test
    void anUnreadyBackendIsSkipped() {
        var absent = new BrokenBackend() {
            @Override
            public List<String> notReadyReasons() {
                return List.of("no device");
            }
        };
        assertEquals("no device", new Verifier(absent).check(Case.parse(CAUSAL)).message());
    }

    @Test
    void shortSpellingsOfMasksAreChecked() {
        for (String mask : List.of("causal", "window:3,0", "dense:9x13", "(causal:tl)")) {
            Verdict verdict = new Verifier(new BrokenBackend()).check(Case.parse("q1x2x9x16 kv2x13 f32 mask=" + mask));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
        }
    }

    private static BrokenBackend misreading(UnaryOperator<AttentionOptions> change) {
        return new BrokenBackend() {
            @Override
            protected AttentionInputs misread(AttentionInputs inputs) {
                AttentionOptions options = change.apply(inputs.options());
                var read = AttentionInputs.of(inputs.query(), inputs.key(), inputs.value(), options);
                AttentionProblem problem = read.problem();
                assertTrue(!problem.equals(inputs.problem())
                        || options.seed() != inputs.options().seed());
                return read;
            }
        };
    }

    private static void assertFails(BrokenBackend broken, String caseString, String complaint) {
        Verdict verdict = new Verifier(broken).check(Case.parse(caseString));
        assertSame(Verdict.Status.FAIL, verdict.status(), verdict::toString);
        assertTrue(verdict.message().contains(complaint), verdict::toString);
        assertTrue(!verdict.message().contains("AssertionFailed"), verdict::toString);
    }
}
