package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Problem;
import dev.heed.tensor.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeasibilityTest {
    private static final long GIGABYTE = 1L << 30;

    @Test
    void aMillionKeysOfWidth256SayHowMuchHeapTheyNeed() {
        Problem problem = Problem.parse("q1x1x1x256 kv1x1000000 f32");
        InvalidInputException refused =
                assertThrows(InvalidInputException.class, () -> Feasibility.requireHeap(problem, 6 * GIGABYTE));
        assertTrue(
                refused.oneLine().contains("9.6 GB or more")
                        && refused.oneLine().contains("-Xmx12g"),
                refused.oneLine());
        assertDoesNotThrow(() -> Feasibility.requireHeap(problem, 12 * GIGABYTE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x8x128x64 kv8x128 f32",
                "softmax 64x1000 axis=1 f32",
                "mha in=384x384x384 out=384 biases=qkvo q1x12x16x32 kv12x16 f32",
                "rotary 1x8x128x64 f32"
            })
    void smallCasesFitASmallHeap(String text) {
        assertDoesNotThrow(() -> Feasibility.requireHeap(Problem.parse(text), GIGABYTE / 16));
    }
}
