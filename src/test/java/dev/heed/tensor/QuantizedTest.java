package dev.heed.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Attention;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.verify.Case;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Tests of i8 tensors with scales: the quantisation error is at most half a scale, and every way to read the elements gives
 * the same result.
 */
class QuantizedTest {
    private final Random random = new Random(11);

    @Test
    void anElementErrsByHalfAScaleAtMost() {
        Tensor numbers = random(3, 5, 33);
        Tensor bytes = numbers.quantized();
        for (int r = 0; r < 15; r++) {
            double most = 0;
            for (int d = 0; d < 33; d++) {
                most = Math.max(most, Math.abs(numbers.get(r / 5, r % 5, d)));
            }
            for (int d = 0; d < 33; d++) {
                double error = Math.abs(bytes.get(r / 5, r % 5, d) - numbers.get(r / 5, r % 5, d));
                assertTrue(error <= most / 254 * (1 + 1e-6), error + " of " + most);
            }
        }
    }

    @Test
    void everyWayToReadGivesTheSame() {
        Tensor bytes = random(4, 6, 10).quantized();
        Tensor view = bytes.transpose(0, 1).slice(2, 3, 9).slice(0, 1, 5);
        double[] elements = new double[4 * 4 * 6];
        int n = 0;
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                for (int d = 0; d < 6; d++) {
                    elements[n++] = bytes.get(j, i + 1, d + 3);
                }
            }
        }
        assertArrayEquals(elements, view.toDoubleArray());
        assertArrayEquals(elements, view.to(DType.F64).toDoubleArray());
        assertArrayEquals(elements, view.asReadOnly().asConstant().to(DType.F64).toDoubleArray());
        assertArrayEquals(view.to(DType.F32).toFloatArray(), view.toFloatArray());
        assertArrayEquals(view.reshape(16, 6).toDoubleArray(), view.copy().toDoubleArray(), 0);
    }

    @Test
    void quantisingTwiceChangesNothing() {
        Tensor bytes = random(7, 20).quantized();
        assertArrayEquals(bytes.toDoubleArray(), bytes.quantized().toDoubleArray(), 1e-6);
    }

    @Test
    void rowsOfZerosAndRowsThatAreNotFinite() {
        float[] numbers = {0, 0, 0, 1, Float.NaN, 2, Float.NEGATIVE_INFINITY, 1, 1, 3, -1.5f, 0.01f};
        double[] back = Tensor.of(numbers, 4, 3).quantized().toDoubleArray();
        for (int i = 0; i < 3; i++) {
            assertEquals(0, back[i]);
            assertTrue(Double.isNaN(back[3 + i]) && Double.isNaN(back[6 + i]));
        }
        assertArrayEquals(new double[] {3, -1.5, 0.01}, new double[] {back[9], back[10], back[11]}, 3 / 254.0);
        assertEquals(3, back[9], 1e-6);
    }

    @Test
    void bytesOfTheCallersOwn() {
        MemorySegment data = MemorySegment.ofArray(new byte[] {1, -2, 3, 127, -128, 0});
        MemorySegment scales = MemorySegment.ofArray(new float[] {0.5f, 2});
        assertArrayEquals(
                new double[] {0.5, -1, 1.5, 254, -256, 0},
                Tensor.ofBytes(data, scales, 2, 3).toDoubleArray());
        assertRefused("scales do not fit", () -> Tensor.ofBytes(data, scales, 3, 2));
        assertRefused("cannot be set", () -> Tensor.ofBytes(data, scales, 2, 3).set(1, 0, 0));
        assertRefused("cannot be set", () -> Tensor.ofBytes(data, scales, 2, 3).fill(0));
        assertRefused(
                "cannot be set", () -> Tensor.ofBytes(data, scales, 2, 3).copyFrom(Tensor.of(new float[6], 2, 3)));
    }

    @Test
    void whatCannotBeComputedWithBytesIsRefused() {
        Tensor query = random(1, 1, 2, 4);
        Tensor bytes = random(1, 1, 3, 4).quantized();
        Tensor numbers = random(1, 1, 3, 4);
        AttentionOptions plain = AttentionOptions.DEFAULT;
        assertRefused("different types", () -> AttentionInputs.of(query, bytes, numbers, plain));
        assertRefused(
                "cannot be stored in this type", () -> AttentionInputs.of(query.to(DType.F64), bytes, bytes, plain));
        assertRefused("floating-point", () -> AttentionInputs.of(query.quantized(), bytes, bytes, plain));
        AttentionInputs inputs = AttentionInputs.of(query, bytes, bytes, plain);
        assertEquals("q1x1x2x4 kv1x3 f32 kv=i8", inputs.problem().toString());
        AttentionInputs toF64 = AttentionInputs.of(query, numbers, numbers, plain);
        try (var backend = new ReferenceBackend();
                var plan = backend.plan(inputs.problem())) {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            plan.forward(inputs, result);
            AttentionGradients gradients = AttentionGradients.allocate(toF64);
            assertRefused("have no gradient", () -> plan.backward(inputs, result, query, null, gradients));
        }
        assertRefused("have no gradient", () -> Case.parse("q1x4x7x64 kv2x15 f32 kv=i8 backward"));
        assertEquals(
                DType.F32,
                Attention.scaledDotProduct(query, bytes, bytes, plain).output().type());
    }

    private Tensor random(long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        float[] numbers = new float[(int) count];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Tensor.of(numbers, shape);
    }

    private static void assertRefused(String part, Runnable call) {
        InvalidInputException refused = assertThrows(InvalidInputException.class, call::run);
        assertTrue(refused.getMessage().contains(part), refused::getMessage);
    }
}
