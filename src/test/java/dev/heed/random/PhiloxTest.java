package dev.heed.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Compares Philox with the known answers of Random123 ({@code kat_vectors}, philox4x32 10), and tests its uniform numbers. */
class PhiloxTest {
    @Test
    void knownAnswers() {
        int[] zeros = {0, 0, 0, 0};
        Philox.scramble(zeros, 0);
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, zeros);

        int[] ones = {-1, -1, -1, -1};
        Philox.scramble(ones, -1L);
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, ones);

        int[] digitsOfPi = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
        Philox.scramble(digitsOfPi, 0x299f31d0_a4093822L);
        assertArrayEquals(new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}, digitsOfPi);
    }

    @Test
    void placeOfTheMatrixIsTheCounter() {
        int[] words = {5 / 4, 7, 3, 2};
        Philox.scramble(words, 99);
        assertEquals((words[5 % 4] & 0xFFFFFFFFL) * 0x1p-32, Philox.uniform(99, 2, 3, 7, 5));
    }

    @Test
    void everyCoordinateAndBothHalvesOfTheSeedMatter() {
        double here = Philox.uniform(1, 2, 3, 4, 5);
        assertNotEquals(here, Philox.uniform(2, 2, 3, 4, 5));
        assertNotEquals(here, Philox.uniform(1 + (1L << 32), 2, 3, 4, 5));
        assertNotEquals(here, Philox.uniform(1, 1, 3, 4, 5));
        assertNotEquals(here, Philox.uniform(1, 2, 4, 4, 5));
        assertNotEquals(here, Philox.uniform(1, 2, 3, 5, 5));
        assertNotEquals(here, Philox.uniform(1, 2, 3, 4, 6));
        assertNotEquals(here, Philox.uniform(1, 2, 3, 4, 9));
    }

    /**
     * Mean, variance and the counts of 16 equal bins of [0, 1) are within five standard deviations of their expected values
     * for a uniform distribution.
     */
    @Test
    void numbersAreUniform() {
        int n = 200_000;
        int[] bins = new int[16];
        double sum = 0;
        double squares = 0;
        for (int draw = 0; draw < n; draw++) {
            double u = Philox.uniform(7, draw % 3, draw % 5, draw / 997, draw % 997);
            assertTrue(u >= 0 && u < 1);
            bins[(int) (u * 16)]++;
            sum += u;
            squares += (u - 0.5) * (u - 0.5);
        }
        assertEquals(0.5, sum / n, 5 * Math.sqrt(1 / 12.0 / n));
        assertEquals(1 / 12.0, squares / n, 5 * Math.sqrt(1 / 180.0 / n));
        for (int count : bins) {
            assertEquals(n / 16.0, count, 5 * Math.sqrt(n * 15 / 256.0));
        }
    }

    @Test
    void neighboursAreNotAlike() {
        Set<Double> seen = new HashSet<>();
        double product = 0;
        int n = 100_000;
        for (int j = 0; j < n; j++) {
            double u = Philox.uniform(3, 0, 0, 0, j);
            product += (u - 0.5) * (Philox.uniform(3, 0, 0, 1, j) - 0.5);
            seen.add(u);
        }
        assertEquals(0, product / n, 5 / 12.0 / Math.sqrt(n));
        assertTrue(seen.size() > n - 20, "repeated numbers: " + (n - seen.size()));
    }
}
