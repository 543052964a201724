package dev.heed.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class InvalidInputExceptionTest {
    private final InvalidInputException report =
            new InvalidInputException("The cat is out", "a bag", "a cat", "bag(cat)");

    @Test
    void messageNamesExpectedGotAndHint() {
        assertEquals("""
                The cat is out.
                  expected  a bag
                  got       a cat
                HINT: bag(cat)""", report.getMessage());
    }

    @Test
    void caseStringIsAddedLater() {
        InvalidInputException located = report.in("q1x1x1x1 kv1x1 f32");
        assertEquals("""
                The cat is out.
                  expected  a bag
                  got       a cat
                  case      q1x1x1x1 kv1x1 f32
                HINT: bag(cat)""", located.getMessage());
        assertArrayEquals(report.getStackTrace(), located.getStackTrace());
    }

    @Test
    void oneLineForACommandLine() {
        assertEquals("The cat is out: expected a bag, got a cat. HINT: bag(cat)", report.oneLine());
        assertEquals(
                "The cat is out: expected a bag, got a cat (case \"softmax 3 f32\"). HINT: bag(cat)",
                report.in("softmax 3 f32").oneLine());
    }
}
