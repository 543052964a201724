package dev.heed.view;

import dev.heed.view.text.VisibleText;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.CubicCurve2D;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/** A canvas that draws into an image. Only this class and {@link PngText} use the JDK's graphics. */
final class PngCanvas implements Canvas {
    private static final double HATCH = 5;

    private final Graphics2D graphics;
    private final Theme theme;
    private final PngText letters;

    private PngCanvas(Graphics2D graphics, Theme theme, @Nullable Font face) {
        this.graphics = graphics;
        this.theme = theme;
        this.letters = new PngText(graphics, face);
    }

    static byte[] draw(Sheet sheet, int scale) {
        return draw(sheet, scale, PngText.machineFace());
    }

    static byte[] draw(Sheet sheet, int scale, @Nullable Font face) {
        double footer = face == null ? 16 : 0;
        var image = new BufferedImage(
                (int) Math.ceil(sheet.width() * scale),
                (int) Math.ceil((sheet.height() + footer) * scale),
                BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setColor(new Color(sheet.theme().ground()));
            graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
            graphics.scale(scale, scale);
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
            var canvas = new PngCanvas(graphics, sheet.theme(), face);
            sheet.ink().accept(canvas);
            if (footer > 0) {
                canvas.text(16, sheet.height() + 4, Script.of(9, sheet.theme().faint()), canvas.letters.note());
            }
        } finally {
            graphics.dispose();
        }
        return encoded(image);
    }

    /** Encodes in memory because ImageIO would otherwise use a temporary file. */
    private static byte[] encoded(BufferedImage image) {
        var bytes = new ByteArrayOutputStream();
        try (var output = new MemoryCacheImageOutputStream(bytes)) {
            ImageIO.write(image, "png", output);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    @Override
    public void cells(double x, double y, int rows, int columns, double pitch, double side, CellInk ink) {
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_OFF);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                var cell = new Rectangle2D.Double(x + column * pitch, y + row * pitch, side, side);
                int colour = ink.colour(row, column);
                if (colour == NONE) {
                    hatch(cell);
                } else {
                    graphics.setColor(new Color(colour));
                    graphics.fill(cell);
                }
            }
        }
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    }

    private void hatch(Rectangle2D cell) {
        graphics.setColor(new Color(theme.hatchGround()));
        graphics.fill(cell);
        Shape clip = graphics.getClip();
        graphics.clip(cell);
        graphics.setColor(new Color(theme.hatchLine()));
        graphics.setStroke(new BasicStroke(1.2f));
        double sum = cell.getX() + cell.getY();
        for (double at = Math.floor(sum / HATCH) * HATCH; at < sum + 2 * cell.getWidth(); at += HATCH) {
            var line = new Path2D.Double();
            line.moveTo(at - cell.getMaxY(), cell.getMaxY());
            line.lineTo(at - cell.getY(), cell.getY());
            graphics.draw(line);
        }
        graphics.setClip(clip);
    }

    @Override
    public void box(double x, double y, double width, double height, int fill, int outline, @Nullable String hover) {
        var box = new Rectangle2D.Double(x, y, width, height);
        if (fill != NONE) {
            graphics.setColor(new Color(fill));
            graphics.fill(box);
        }
        if (outline != NONE) {
            graphics.setColor(new Color(outline));
            graphics.setStroke(new BasicStroke(1));
            graphics.draw(box);
        }
    }

    @Override
    public void bar(double x, double y, double width, double height, Palette palette, int outline) {
        int steps = 128;
        double step = height / steps;
        for (int i = 0; i < steps; i++) {
            graphics.setColor(new Color(palette.rgb((i + 0.5) / steps)));
            double top = y + height - (i + 1) * step;
            // each step extends under the next one, which avoids seams
            graphics.fill(new Rectangle2D.Double(
                    x, Math.max(y, top - step), width, y + height - i * step - Math.max(y, top - step)));
        }
        box(x, y, width, height, NONE, outline, null);
    }

    @Override
    public void line(Stroke stroke, double... points) {
        var path = new Path2D.Double();
        path.moveTo(points[0], points[1]);
        for (int i = 2; i < points.length; i += 2) {
            path.lineTo(points[i], points[i + 1]);
        }
        draw(stroke, path);
    }

    @Override
    public void curve(Stroke stroke, String hover, double... p) {
        draw(stroke, new CubicCurve2D.Double(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]));
    }

    private void draw(Stroke stroke, Shape shape) {
        float[] dashes = null;
        if (stroke.dashes().length > 0) {
            dashes = new float[stroke.dashes().length];
            for (int i = 0; i < dashes.length; i++) {
                dashes[i] = (float) stroke.dashes()[i];
            }
        }
        graphics.setColor(transparent(stroke.colour(), stroke.opacity()));
        graphics.setStroke(
                new BasicStroke((float) stroke.width(), BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, dashes, 0));
        graphics.draw(shape);
    }

    @Override
    public void dot(double x, double y, double radius, int fill, double opacity, @Nullable String hover) {
        graphics.setColor(transparent(fill, opacity));
        graphics.fill(new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius));
    }

    private static Color transparent(int colour, double opacity) {
        return new Color(colour | (int) Math.round(Math.clamp(opacity, 0.0, 1.0) * 255) << 24, true);
    }

    @Override
    public void text(double x, double y, Script script, String text) {
        letters.write(x, y, script, VisibleText.of(text));
    }
}
