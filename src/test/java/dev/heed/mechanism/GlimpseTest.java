package dev.heed.mechanism;

import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.heed.RandomTensors;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Tests that a glimpse is a crop with zeros beyond the border, and that coarser windows hold means of pixels. */
class GlimpseTest {
    @Test
    void windowsAreCutOutAndAveraged() {
        double[] pixels = new double[6 * 5];
        for (int n = 0; n < pixels.length; n++) {
            pixels[n] = n + 1; // row r, column c: 5 r + c + 1
        }
        Tensor image = Tensor.of(pixels, 1, 6, 5, 1);
        Tensor inside = new Glimpse(2, 2).crop(image, Tensor.of(new long[] {2, 2}, 1, 2));
        assertArrayEquals(
                new double[] {
                    7, 8, 12, 13, // rows and columns 1 and 2
                    4, 6, 14, 16 // means of 2 by 2 pixels, from row 0 and column 0
                },
                inside.toDoubleArray());
        Tensor corner = new Glimpse(3, 1).crop(image, Tensor.of(new long[] {0, 4}, 1, 2));
        assertArrayEquals(new double[] {0, 0, 0, 4, 5, 0, 9, 10, 0}, corner.toDoubleArray());
        Tensor far = new Glimpse(3, 2).crop(image, Tensor.of(new long[] {-40, 90}, 1, 2));
        assertEquals(0, RandomTensors.largest(far));
    }

    @Test
    void theImageHasItsGradient() {
        var random = new RandomTensors(1);
        Tensor image = random.normal(DType.F64, 2, 5, 4, 3);
        Tensor centers = Tensor.of(new long[] {1, 3, 4, 0}, 2, 2);
        Tensor up = random.normal(DType.F64, 2, 3, 2, 2, 3);
        Glimpse glimpse = new Glimpse(2, 3);
        assertGradient(
                "image", image, glimpse.backward(image, centers, up), () -> weighed(glimpse.crop(image, centers), up));
    }

    @Test
    void whatIsNotSeenIsNotRead() {
        Tensor image = Tensor.zeros(DType.F32, 1, 8, 8, 1).fill(Double.NaN);
        image.slice(1, 2, 5).slice(2, 3, 6).fill(2);
        Tensor seen = new Glimpse(3, 1).crop(image, Tensor.of(new long[] {3, 4}, 1, 2));
        assertArrayEquals(new double[] {2, 2, 2, 2, 2, 2, 2, 2, 2}, seen.toDoubleArray());
    }

    @Test
    void badInputIsRefused() {
        Tensor image = Tensor.zeros(DType.F32, 2, 4, 4, 1);
        Tensor centers = Tensor.zeros(DType.I64, 2, 2);
        assertThrows(InvalidInputException.class, () -> new Glimpse(0, 1));
        assertThrows(InvalidInputException.class, () -> new Glimpse(1, 0));
        assertThrows(InvalidInputException.class, () -> new Glimpse(2, 1).crop(image, Tensor.zeros(DType.F32, 2, 2)));
        assertThrows(InvalidInputException.class, () -> new Glimpse(2, 1).crop(image, Tensor.zeros(DType.I64, 1, 2)));
        assertThrows(InvalidInputException.class, () -> new Glimpse(2, 1).crop(image.select(0, 0), centers));
        assertThrows(
                InvalidInputException.class,
                () -> new Glimpse(2, 1).backward(image, centers, Tensor.zeros(DType.F32, 2, 1, 2, 3, 1)));
    }
}
