package dev.heed.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.heed.AttentionBackend;
import dev.heed.onnx.OnnxModel;
import dev.heed.onnx.OnnxNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Tests that run the published data on a backend, one test per case. Every case that Heed covers must pass; only other
 * operators and kinds, and cases for which {@link #mayRefuse} returns true, may be skipped. The test of a backend is a
 * subclass that returns the backend.
 *
 * <p>The data are read from the directory {@code -Dheed.conformance}, by default {@code ../shared/conformance}. If they
 * are missing, the tests are skipped with a message; under {@code CI=true} they fail.
 */
public abstract class ConformanceContract {
    private static final Set<String> OPERATORS = Set.of("Attention", "Softmax", "LogSoftmax", "RotaryEmbedding");
    private static final Set<String> KINDS = Set.of(
            "score.dot",
            "score.additive",
            "score.additive_projected",
            "score.general",
            "score.cosine",
            "attention.dot",
            "attention.additive",
            "attention.any_score",
            "softmax.masked",
            "softmax_apply",
            "mask.causal_top_left",
            "layer.mha",
            "seq.attn_lstm");

    /** {@return the backend under test} */
    protected abstract AttentionBackend backend();

    /** {@return whether the backend may report a covered case as unsupported} */
    protected boolean mayRefuse(String caseName) {
        return false;
    }

    @TestFactory
    Stream<DynamicTest> onnx() {
        return tests(OnnxCase.class);
    }

    @TestFactory
    Stream<DynamicTest> classic() {
        return tests(ClassicCase.class);
    }

    private Stream<DynamicTest> tests(Class<? extends ConformanceCase> kind) {
        AttentionBackend backend = backend();
        Assumptions.assumeTrue(backend.notReadyReasons().isEmpty(), () -> String.join("; ", backend.notReadyReasons()));
        Path data = data();
        List<ConformanceCase> cases = ConformanceSuite.of(data).cases().stream()
                .filter(kind::isInstance)
                .toList();
        if (cases.isEmpty()) {
            missing("no " + kind.getSimpleName() + " in " + data);
        }
        return cases.stream().map(item -> DynamicTest.dynamicTest(item.name(), () -> check(item, backend)));
    }

    private void check(ConformanceCase item, AttentionBackend backend) {
        Outcome outcome = item.run(backend);
        if (!isCovered(item)) {
            assertEquals(Outcome.Status.SKIP, outcome.status(), outcome.line());
            assertTrue(outcome.detail().matches("(operator|kind|a graph of) .*"), outcome.line());
        } else if (outcome.status() == Outcome.Status.SKIP && mayRefuse(item.name())) {
            Assumptions.abort(outcome.detail());
        } else {
            assertEquals(Outcome.Status.PASS, outcome.status(), outcome.line());
        }
    }

    static boolean isCovered(ConformanceCase item) {
        return switch (item) {
            case ClassicCase vectors -> KINDS.contains(vectors.kind());
            case OnnxCase onnx -> {
                OnnxNode node = OnnxModel.read(onnx.directory().resolve(OnnxCase.MODEL))
                        .nodes()
                        .getFirst();
                yield node.domain().isEmpty() && OPERATORS.contains(node.opType());
            }
        };
    }

    /** {@return the directory of the data; if it is missing, the test is skipped, or fails under {@code CI=true}} */
    static Path data() {
        Path data = Path.of(System.getProperty("heed.conformance", "../shared/conformance"));
        if (!Files.isDirectory(data)) {
            missing("no conformance data in " + data);
        }
        return data;
    }

    private static void missing(String what) {
        String message = what + ": -Dheed.conformance=DIR names them";
        if ("true".equals(System.getenv("CI"))) {
            fail(message);
        }
        Assumptions.abort(message);
    }
}
