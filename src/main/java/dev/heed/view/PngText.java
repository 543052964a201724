package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.text.PixelFace;
import dev.heed.view.text.TextWidth;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.GraphicsEnvironment;
import java.awt.font.FontRenderContext;
import java.awt.font.TextAttribute;
import java.awt.font.TextLayout;
import java.awt.geom.AffineTransform;
import java.awt.geom.Rectangle2D;
import java.text.AttributedString;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A writer of text into an image: in a font of the machine, with substitutes for letters that the font lacks, or in
 * {@link PixelFace} if there is no font at all.
 *
 * <p>The JDK has no method that reports whether there are fonts: without fonts, the first use of a font throws one of
 * several errors. This class tries once.
 */
final class PngText {
    private static final Map<Integer, Font> SUBSTITUTES = new ConcurrentHashMap<>();

    /** The font families of the SVG; for a missing family, the JDK returns a font of another family. */
    private static final List<String> FAMILIES = List.of("Helvetica", "Arial", "Liberation Sans", "Noto Sans");

    private static final @Nullable Font FACE = face();

    private final Graphics2D graphics;
    private final @Nullable Font face;

    /** Creates a writer of text in a font, or in {@link PixelFace} if {@code face} is null. */
    PngText(Graphics2D graphics, @Nullable Font face) {
        this.graphics = graphics;
        this.face = face;
    }

    /** {@return the font of this machine, or null if it has none} */
    static @Nullable Font machineFace() {
        return FACE;
    }

    private static @Nullable Font face() {
        try {
            Font face = FAMILIES.stream()
                    .map(family -> new Font(family, Font.PLAIN, 12))
                    .filter(font -> FAMILIES.contains(font.getFamily(Locale.ROOT)))
                    .findFirst()
                    .orElseGet(PngText::logical);
            boolean hasLetters = face.canDisplay('a')
                    && face.getStringBounds("a", new FontRenderContext(null, true, true))
                                    .getWidth()
                            > 0;
            return hasLetters ? face : null;
        } catch (RuntimeException | InternalError | LinkageError noFonts) {
            return null;
        }
    }

    private static Font logical() {
        return new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    }

    /** {@return a caption about built-in letters, empty if fonts are available} */
    String note() {
        return face == null ? "No fonts on this machine: built-in letters, and frames for missing ones." : "";
    }

    void write(double x, double y, Script script, String text) {
        if (text.isEmpty()) {
            return;
        }
        AffineTransform before = graphics.getTransform();
        graphics.translate(x, y);
        graphics.rotate(Math.toRadians(script.turn()));
        graphics.setColor(new Color(script.colour()));
        if (face == null) {
            writeSquares(script, PixelFace.plain(text));
        } else {
            writeLetters(face, script, text);
        }
        graphics.setTransform(before);
    }

    private void writeLetters(Font face, Script script, String text) {
        Font font = face.deriveFont(script.bold() ? Font.BOLD : Font.PLAIN, (float) script.size());
        var attributed = new AttributedString(text);
        attributed.addAttribute(TextAttribute.FONT, font);
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            if (!font.canDisplay(c)) {
                Font other = SUBSTITUTES.computeIfAbsent(c, PngText::substitute);
                attributed.addAttribute(
                        TextAttribute.FONT,
                        other.deriveFont(font.getStyle(), font.getSize2D()),
                        i,
                        i + Character.charCount(c));
            }
        }
        var layout = new TextLayout(attributed.getIterator(), graphics.getFontRenderContext());
        // The layout of the picture uses estimated widths: text that is wider in this font is narrowed.
        double width = layout.getAdvance();
        double room = TextWidth.of(text, script.size()) * (script.bold() ? 1.08 : 1);
        double squeeze = width > room && room > 0 ? room / width : 1;
        graphics.scale(squeeze, 1);
        layout.draw(graphics, (float) shift(script.anchor(), width), 0);
    }

    /** {@return a font that has the letter, or else the JDK's sans-serif font, which draws a frame} */
    private static Font substitute(int character) {
        Font logical = logical();
        if (logical.canDisplay(character)) {
            return logical;
        }
        Font[] fonts = GraphicsEnvironment.getLocalGraphicsEnvironment().getAllFonts();
        return Arrays.stream(fonts)
                .filter(font -> font.canDisplay(character))
                .findFirst()
                .orElse(logical);
    }

    private void writeSquares(Script script, String text) {
        int[] characters = text.codePoints().toArray();
        double square = script.size() / 10;
        double width = characters.length * PixelFace.ADVANCE * square;
        double room = TextWidth.of(text, script.size()) * (script.bold() ? 1.08 : 1);
        double wide = width > room ? square * room / width : square;
        double start = shift(script.anchor(), Math.min(width, room));
        for (int i = 0; i < characters.length; i++) {
            for (int column = 0; column < PixelFace.ADVANCE - 1; column++) {
                for (int row = 0; row < PixelFace.HEIGHT; row++) {
                    if (PixelFace.isSet(characters[i], column, row)) {
                        double left = start + (i * PixelFace.ADVANCE + column) * wide;
                        graphics.fill(new Rectangle2D.Double(
                                left, (row - PixelFace.HEIGHT) * square, wide * (script.bold() ? 1.4 : 1), square));
                    }
                }
            }
        }
    }

    private static double shift(Anchor anchor, double width) {
        return switch (anchor) {
            case START -> 0;
            case MIDDLE -> -width / 2;
            case END -> -width;
        };
    }
}
