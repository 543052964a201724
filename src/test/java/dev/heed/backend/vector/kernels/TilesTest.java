package dev.heed.backend.vector.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TilesTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 3, 64, 128, 256, 257, 4096, 1L << 40})
    void everyWidthOfHeadHasSizes(long width) {
        for (boolean nativeProducts : new boolean[] {false, true}) {
            Tiles.Prefill prefill = Tiles.prefill(width, nativeProducts);
            assertEquals(0, prefill.tileKeys() % Lanes.TILE);
            assertTrue(prefill.panels() >= 1 && prefill.depth() >= 1);
            assertSame(prefill, Tiles.prefill(width, nativeProducts));
        }
        Tiles.Decode decode = Tiles.decode(width);
        assertTrue(decode.queries() >= 1 && decode.split() >= 64 && decode.fewRows() >= 0);
    }

    @Test
    void productsHaveSizes() {
        assertTrue(Tiles.GEMM_DEPTH >= 1);
        assertTrue(Tiles.GEMM_FEWEST_ROWS >= 1 && Tiles.GEMM_FEWEST_ROWS <= Tiles.GEMM_ROWS);
    }

    @Test
    void aTileIsAWholeNumberOfSmallOnes() {
        var refusal = assertThrows(IllegalArgumentException.class, () -> new Tiles.Prefill(8, 100, 128));
        assertTrue(refusal.getMessage().contains("multiples of 64"), refusal.getMessage());
    }
}
