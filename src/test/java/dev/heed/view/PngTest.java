package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.view.text.PixelFace;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PngTest {
    @TempDir
    Path directory;

    private static BufferedImage decode(byte[] png) throws IOException {
        return ImageIO.read(new ByteArrayInputStream(png));
    }

    private static int rgb(BufferedImage image, double x, double y) {
        return image.getRGB((int) x, (int) y) & 0xFFFFFF;
    }

    /** The cells begin to the right of the row labels and below the column labels; their sizes are whole pixels. */
    @ParameterizedTest
    @CsvSource({"1, VIRIDIS", "2, CIVIDIS", "3, BLUES"})
    void everyCellHasTheColourOfItsWeight(int scale, Palette palette) throws IOException {
        var random = new Random(7);
        double[][] weights = new double[5][7];
        for (double[] row : weights) {
            for (int column = 0; column < row.length; column++) {
                row[column] = random.nextDouble();
            }
        }
        weights[3][2] = 1.5;
        HeatMap map = HeatMap.of(weights).palette(palette);
        BufferedImage image = decode(map.png(scale));
        var panel = new HeatMapPanel(map, HeatMapPanel.Scale.ALONE, true, true);
        double pitch = 30;
        double strongest = -1;
        String strongestAt = "";
        for (int row = 0; row < 5; row++) {
            for (int column = 0; column < 7; column++) {
                double x = (16 + panel.left() + (column + 0.5) * pitch) * scale;
                double y = (16 + panel.top() + (row + 0.5) * pitch) * scale;
                assertEquals(palette.rgb(weights[row][column] / 1.5), rgb(image, x, y), row + ", " + column);
                double strength = Palette.luminance(rgb(image, x, y)) * (palette.brightens() ? 1 : -1) + 2;
                if (strength > strongest) {
                    strongest = strength;
                    strongestAt = row + ", " + column;
                }
            }
        }
        assertEquals("3, 2", strongestAt);
    }

    @ParameterizedTest
    @EnumSource
    void theGroundIsTheThemes(Theme theme) throws IOException {
        HeatMap map = HeatMap.of(new double[][] {{1, Double.NaN}}).theme(theme);
        BufferedImage image = decode(map.png(2));
        assertEquals(theme.ground(), rgb(image, 3, 3));
        Sheet sheet = map.sheet();
        assertEquals(Math.ceil(sheet.width() * 2), image.getWidth());
        assertEquals(Math.ceil(sheet.height() * 2), image.getHeight());
    }

    @Test
    void withoutFontsTextIsThereAndThePictureSaysSo() throws IOException {
        List<String> labels = List.of("cat", "注意 😀", "~");
        Sheet sheet = HeatMap.of(new double[3][3]).rows(labels).title("A Title").sheet();
        BufferedImage plain = decode(PngCanvas.draw(sheet, 2, null));
        BufferedImage usual = decode(PngCanvas.draw(sheet, 2, PngText.machineFace()));
        assertEquals(PngText.machineFace() == null ? 0 : 32, plain.getHeight() - usual.getHeight());
        assertTrue(inked(plain, 32, 24, 150, 62) > 100, "the title");
        assertTrue(inked(plain, 32, plain.getHeight() - 40, 300, plain.getHeight()) > 100, "the note");
    }

    private static int inked(BufferedImage image, int left, int top, int right, int bottom) {
        int ground = rgb(image, 0, 0);
        int inked = 0;
        for (int x = left; x < Math.min(right, image.getWidth()); x++) {
            for (int y = top; y < bottom; y++) {
                inked += rgb(image, x, y) == ground ? 0 : 1;
            }
        }
        return inked;
    }

    @Test
    void everyLetterOfTheBuiltInFaceDiffers() {
        List<String> shapes = new ArrayList<>();
        for (int c = ' '; c <= '~' + 1; c++) {
            var shape = new StringBuilder();
            for (int column = 0; column < 5; column++) {
                for (int row = 0; row < 7; row++) {
                    shape.append(PixelFace.isSet(c, column, row) ? '#' : '.');
                }
            }
            assertFalse(shapes.contains(shape.toString()), Character.toString(c));
            shapes.add(shape.toString());
        }
        assertEquals(PixelFace.isSet(0x1F600, 0, 0), PixelFace.isSet('注', 0, 0));
    }

    @Test
    void filesHoldTheSameBytes() throws IOException {
        HeatMap map = HeatMap.of(new double[][] {{0.3}});
        map.png(directory.resolve("map.png"));
        assertArrayEquals(map.png(2), Files.readAllBytes(directory.resolve("map.png")));
        assertThrows(IOException.class, () -> map.png(directory));
        assertThrows(InvalidInputException.class, () -> map.png(0));
        assertThrows(InvalidInputException.class, () -> map.png(9));
    }

    @Test
    void aGridOfManyHeads() throws IOException {
        HeatMap head = HeatMap.of(new double[300][300]).title("head").pooling(Pooling.MAX);
        BufferedImage image =
                decode(HeatMapGrid.of(Collections.nCopies(72, head)).perRow(12).png(1));
        assertTrue(image.getWidth() > 12 * 150 && image.getHeight() > 6 * 150, image.toString());
    }

    @Test
    void theLargestWeightOf8192By8192IsSeen() throws IOException {
        assumeTrue(Boolean.getBoolean("heed.full"), "needs a gigabyte and a few seconds: -Dheed.full=true");
        Tensor weights = Tensor.zeros(DType.F32, 8192, 8192);
        weights.set(1, 5000, 3000);
        HeatMap map = HeatMap.of(weights).pooling(Pooling.MAX);
        BufferedImage image = decode(map.png(1));
        var panel = new HeatMapPanel(map, HeatMapPanel.Scale.ALONE, true, true);
        double x = 16 + panel.left() + (3000 / 32 + 0.5) * 2;
        double y = 16 + panel.top() + (5000 / 32 + 0.5) * 2;
        assertEquals(Palette.VIRIDIS.rgb(1), rgb(image, x, y));
        assertEquals(Palette.VIRIDIS.rgb(0), rgb(image, x + 2, y));
        assertTrue(map.svg().contains("Each cell is the largest of 32 × 32 values (8192 × 8192 in all)."));
    }

    @Test
    void whatIsLargerThanAnImageIsRefused() {
        HeatMap head = HeatMap.of(new double[96][96]);
        var e = assertThrows(
                UnsupportedOperationException.class,
                () -> HeatMapGrid.of(Collections.nCopies(4000, head)).png(8));
        assertTrue(String.valueOf(e.getMessage()).contains("HINT"), e.getMessage());
    }
}
