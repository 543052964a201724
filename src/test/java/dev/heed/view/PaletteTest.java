package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PaletteTest {
    @ParameterizedTest
    @EnumSource
    void luminanceRunsOneWay(Palette palette) {
        double sign = palette.brightens() ? 1 : -1;
        double before = Double.NEGATIVE_INFINITY;
        for (int i = 0; i <= 64; i++) { // finer steps differ by less than 8 bits can represent
            double luminance = sign * Palette.luminance(palette.rgb(i / 64.0));
            assertTrue(luminance > before, palette + " turns at " + i + "/64");
            before = luminance;
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionsOutsideAreCut(Palette palette) {
        assertEquals(palette.rgb(0), palette.rgb(-3));
        assertEquals(palette.rgb(1), palette.rgb(7));
        assertEquals(palette.rgb(1), palette.rgb(Double.POSITIVE_INFINITY));
    }

    @ParameterizedTest
    @EnumSource
    void neighboursDifferLittle(Palette palette) {
        for (int i = 0; i < 256; i++) {
            int a = palette.rgb(i / 256.0);
            int b = palette.rgb((i + 1) / 256.0);
            for (int shift = 0; shift <= 16; shift += 8) {
                assertTrue(
                        Math.abs((a >> shift & 0xFF) - (b >> shift & 0xFF)) <= 4, palette + " jumps at " + i + "/256");
            }
        }
    }
}
