package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A picture that can be written as SVG, whose text stays text and whose bytes are the same on every machine, and as
 * PNG.
 *
 * <p>PNG needs the JDK's module {@code java.desktop}, which every JDK has and a trimmed runtime may lack; no display or
 * font is needed. Without fonts, letters are drawn in a small built-in font, and a caption states this.
 */
public abstract sealed class Picture permits HeatMap, HeatMapGrid, LineView, WeightProfile, Plot {
    private static final int MAX_SCALE = 8;

    Picture() {}

    abstract Sheet sheet();

    /** {@return the picture as an SVG document} */
    public final String svg() {
        return SvgCanvas.draw(sheet());
    }

    /**
     * Writes the picture as an SVG file, replacing an existing file.
     *
     * @throws IOException if the file cannot be written
     */
    public final void svg(Path file) throws IOException {
        Files.writeString(file, svg(), StandardCharsets.UTF_8);
    }

    /**
     * {@return the picture as the bytes of a PNG file}
     *
     * @param scale pixels of the image per pixel of the SVG, 1 to {@value #MAX_SCALE}; 2 suits slides
     * @throws InvalidInputException if the scale is out of range
     * @throws UnsupportedOperationException if this runtime cannot draw; the message contains a HINT
     */
    public final byte[] png(int scale) {
        if (scale < 1 || scale > MAX_SCALE) {
            throw new InvalidInputException(
                    "The scale of a PNG is out of range", "1 to " + MAX_SCALE, String.valueOf(scale), "png(file, 2)");
        }
        return PngFile.draw(sheet(), scale);
    }

    /**
     * Writes the picture as a PNG file, replacing an existing file.
     *
     * @param scale pixels of the image per pixel of the SVG, 1 to {@value #MAX_SCALE}; 2 suits slides
     * @throws IOException if the file cannot be written
     * @throws InvalidInputException if the scale is out of range
     * @throws UnsupportedOperationException if this runtime cannot draw; the message contains a HINT
     */
    public final void png(Path file, int scale) throws IOException {
        Files.write(file, png(scale));
    }

    /**
     * Writes the picture as a PNG file with two pixels per pixel of the SVG, replacing an existing file.
     *
     * @throws IOException if the file cannot be written
     * @throws UnsupportedOperationException if this runtime cannot draw; the message contains a HINT
     */
    public final void png(Path file) throws IOException {
        png(file, 2);
    }
}
