package dev.heed.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Compares the reference with ONNX Runtime 1.29 on random {@code Attention} nodes of opset 24.
 *
 * <p>ONNX Runtime differs from the text of the operator in three places, which the test excludes:
 *
 * <ul>
 *   <li>{@code is_causal} is ignored when a single query follows a past, even if several keys are new and all but the
 *       first are in its future; the test skips these cases;
 *   <li>with {@code qk_matmul_output_mode} 2, the score of a masked key is the lowest f32, unless a float mask with
 *       minus infinity masks it; in this output, the test reads the lowest f32 as minus infinity;
 *   <li>masks that broadcast along queries or keys, or are shorter than the keys, are rejected; the test has no such
 *       masks.
 * </ul>
 */
class OnnxRuntimeDifferentialTest {
    private static final int CASES = 80;
    private static final float HIDDEN = -Float.MAX_VALUE;
    private static final Tolerance TOLERANCE = new Tolerance(1e-5, 1e-5);
    private static final OrtEnvironment RUNTIME =
            OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "heed");

    @TestFactory
    Stream<DynamicTest> theReferenceAgrees() {
        return LongStream.iterate(0, seed -> seed + 1)
                .mapToObj(OnnxRuntimeCase::random)
                .filter(item -> !item.isCausalWithOneQueryAfterAPastAndSeveralNewKeys())
                .limit(CASES)
                .map(item -> DynamicTest.dynamicTest(item.toString(), () -> {
                    Outcome outcome = compare(item, HIDDEN);
                    assertEquals(Outcome.Status.PASS, outcome.status(), outcome.line());
                }));
    }

    /** If this test fails, ONNX Runtime has been fixed, and the filter of the cases can be removed. */
    @Test
    void theCausalCaseLeftOutStillDiffers() throws OrtException {
        OnnxRuntimeCase leftOut = first(OnnxRuntimeCase::isCausalWithOneQueryAfterAPastAndSeveralNewKeys);
        assertNotEquals(Outcome.Status.PASS, compare(leftOut, HIDDEN).status(), leftOut.toString());
    }

    /** If this test fails, ONNX Runtime has been fixed, and {@link #HIDDEN} can be removed. */
    @Test
    void theLowestNumberStillStandsForMinusInfinity() throws OrtException {
        OnnxRuntimeCase causal = first(item -> item.keepsModifiedScores()
                && item.attributes().containsKey("is_causal")
                && !item.isCausalWithOneQueryAfterAPastAndSeveralNewKeys());
        assertEquals(Outcome.Status.PASS, compare(causal, HIDDEN).status(), causal.toString());
        assertNotEquals(Outcome.Status.PASS, compare(causal, Float.NaN).status(), causal.toString());
    }

    private static OnnxRuntimeCase first(Predicate<OnnxRuntimeCase> condition) {
        return LongStream.iterate(0, seed -> seed + 1)
                .mapToObj(OnnxRuntimeCase::random)
                .filter(condition)
                .findFirst()
                .orElseThrow();
    }

    /** Compares all outputs; {@code hidden} is the value read as minus infinity among the modified scores. */
    private static Outcome compare(OnnxRuntimeCase item, float hidden) throws OrtException {
        var comparison = new Comparison();
        List<Tensor> computed = item.compute(new ReferenceBackend());
        Map<String, OnnxTensorLike> inputs = new HashMap<>();
        try (OrtSession session = RUNTIME.createSession(item.model())) {
            for (Map.Entry<String, Tensor> input : item.named().entrySet()) {
                inputs.put(input.getKey(), toRuntime(input.getValue()));
            }
            try (OrtSession.Result result = session.run(inputs)) {
                for (int i = 0; i < computed.size(); i++) {
                    boolean modified = i == 3 && item.keepsModifiedScores();
                    Tensor expected = fromRuntime((OnnxTensor) result.get(i), modified ? hidden : Float.NaN);
                    comparison.add(OnnxRuntimeCase.output(i), expected, computed.get(i), TOLERANCE);
                }
            }
        } finally {
            inputs.values().forEach(OnnxTensorLike::close);
        }
        return comparison.outcome(item.toString());
    }

    private static OnnxTensor toRuntime(Tensor tensor) throws OrtException {
        if (tensor.type() == DType.F32) {
            return OnnxTensor.createTensor(RUNTIME, FloatBuffer.wrap(tensor.toFloatArray()), tensor.shape());
        }
        if (tensor.type() == DType.I64) {
            long[] values = tensor.copy().segment().toArray(ValueLayout.JAVA_LONG);
            return OnnxTensor.createTensor(RUNTIME, LongBuffer.wrap(values), tensor.shape());
        }
        byte[] truths = tensor.copy().segment().toArray(ValueLayout.JAVA_BYTE);
        return OnnxTensor.createTensor(RUNTIME, ByteBuffer.wrap(truths), tensor.shape(), OnnxJavaType.BOOL);
    }

    private static Tensor fromRuntime(OnnxTensor tensor, float hidden) {
        FloatBuffer values = tensor.getFloatBuffer();
        float[] copy = new float[values.remaining()];
        values.get(copy);
        for (int i = 0; i < copy.length; i++) {
            copy[i] = copy[i] == hidden ? Float.NEGATIVE_INFINITY : copy[i];
        }
        return Tensor.of(copy, tensor.getInfo().getShape());
    }
}
