package dev.heed.backend.vector.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Problem;
import dev.heed.backend.vector.VectorBackend;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that problems too large for Java arrays are reported as unsupported, with the value and the limit, before anything
 * is allocated.
 */
class ArrayLimitTest {
    private static List<String> reasons(String caseString) {
        try (VectorBackend backend = new VectorBackend(1)) {
            return backend.notSupportedReasons(Problem.parse(caseString));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x1x1x64 kv1x20000000 f64",
                "q1x1x1x64 kv1x300000000 f32",
                "mha in=40000x40000x40000 out=40000 q1x16x8x2500 kv16x8 f32",
                "mha in=512x512x512 out=512 q64x8x60000x64 kv8x60000 f32",
                "mha in=40000x40000x40000 out=40000 q1x16x8x2500 kv16x8 f64",
                "linear 40000x40000x40000 bias f32",
                "softmax 2x2000000000 f32",
                "rotary 1x1x2x64 f32"
            })
    void whatFitsIsSupported(String caseString) {
        assertEquals(List.of(), reasons(caseString));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "q1x1x1x64 kv1x30000000 f64 | the gradients of the keys of a head: 30000000 x 64",
                "q1x1x1x64 kv1x9000000000000000000 f64 | more elements than a long can count",
                "q1x1x1x600000 kv1x2 f32 | a head of 600000 elements > 524287",
                "mha in=50000x50000x50000 out=50000 q1x20x8x2500 kv20x8 f32 | weights of the query projection: 50000 x 50000",
                "mha in=50000x50000x50000 out=50000 q1x20x8x2500 kv20x8 f64 | weights of the query projection: 50000 x 50000",
                "mha in=512x512x512 out=512 q128x8x60000x64 kv8x6 bf16 | input of the query projection: 7680000 x 512",
                "mha in=512x512x512 out=512 q128x8x6x64 kv8x60000 f16 | input of the value projection: 7680000 x 512",
                "mha in=64x64x64 out=100000 q1x512x3x64 kv512x3 f32 | weights of the output projection: 32768 x 100000",
                "mha in=8x8x8 out=8 q4000000000x8x4000000000x1 kv8x3 f32 | more elements than a long can count",
                "linear 50000x50000x3 f32 | the input of the layer: 50000 x 50000",
                "linear 3x50000x50000 f64 | the weights of the layer: 50000 x 50000",
                "linear 50000x3x50000 f32 | the result of the layer: 50000 x 50000",
                "softmax 2x3000000000 axis=1 f32 | a row of 3000000000 elements"
            })
    void whatDoesNotFitIsAReasonWithTheValueAndTheLimit(String caseString, String value) {
        List<String> reasons = reasons(caseString.strip());
        assertTrue(reasons.stream().anyMatch(reason -> reason.contains(value.strip())), reasons::toString);
        assertTrue(
                reasons.stream().allMatch(reason -> reason.matches(".* > (2147483639|524287).*")), reasons::toString);
    }
}
