package dev.heed.view;

import dev.heed.view.text.SvgText;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/** A canvas that writes SVG. */
final class SvgCanvas implements Canvas {
    private static final String FONTS =
            "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', 'Noto Sans CJK SC', sans-serif";

    private final SvgText svg = new SvgText();
    private final Theme theme;
    private final Set<String> defined = new HashSet<>();

    private SvgCanvas(Theme theme) {
        this.theme = theme;
    }

    static String draw(Sheet sheet) {
        var canvas = new SvgCanvas(sheet.theme());
        canvas.svg.line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" ",
                SvgText.attributes("width", sheet.width(), "height", sheet.height()),
                " viewBox=\"0 0 ",
                sheet.width(),
                " ",
                sheet.height(),
                "\" role=\"img\" aria-label=\"",
                SvgText.escape(sheet.name()),
                "\" font-family=\"",
                FONTS,
                "\" fill=\"",
                SvgText.colour(sheet.theme().ink()),
                "\">");
        canvas.svg.line(
                "<rect width=\"100%\" height=\"100%\" fill=\"",
                SvgText.colour(sheet.theme().ground()), "\"/>");
        sheet.ink().accept(canvas);
        return canvas.svg.add("</svg>\n").toString();
    }

    @Override
    public void cells(double x, double y, int rows, int columns, double pitch, double side, CellInk ink) {
        String hatch = "heed-hatch-" + theme.name().toLowerCase(Locale.ROOT);
        // Cells that touch must not be antialiased, or the background would show between them.
        svg.line("<g transform=\"translate(", x, " ", y, ")\" shape-rendering=\"crispEdges\">");
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int colour = ink.colour(row, column);
                if (colour == NONE) {
                    defineHatch(hatch);
                }
                svg.add("<rect x=\"", column * pitch, "\" y=\"", row * pitch, "\" width=\"", side);
                svg.add("\" height=\"", side, "\" fill=\"");
                svg.add(colour == NONE ? "url(#" + hatch + ")" : SvgText.colour(colour), "\"><title>");
                svg.line(SvgText.escape(ink.hover(row, column)), "</title></rect>");
            }
        }
        svg.line("</g>");
    }

    private void defineHatch(String id) {
        if (defined.add(id)) {
            svg.line(
                    "<pattern id=\"",
                    id,
                    "\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
                            + "<rect width=\"5\" height=\"5\" fill=\"",
                    SvgText.colour(theme.hatchGround()),
                    "\"/><rect width=\"1.5\" height=\"5\" fill=\"",
                    SvgText.colour(theme.hatchLine()),
                    "\"/></pattern>");
        }
    }

    @Override
    public void box(double x, double y, double width, double height, int fill, int outline, @Nullable String hover) {
        svg.add("<rect ", SvgText.attributes("x", x, "y", y, "width", width, "height", height));
        svg.add(" fill=\"", paint(fill), "\"", outline == NONE ? "" : " stroke=\"" + paint(outline) + "\"");
        end("rect", hover);
    }

    /**
     * Ids contain the name of the palette, so that equal ids in several pictures of one HTML page refer to the same
     * palette.
     */
    @Override
    public void bar(double x, double y, double width, double height, Palette palette, int outline) {
        String id = "heed-" + palette.name().toLowerCase(Locale.ROOT);
        if (defined.add(id)) {
            svg.line("<linearGradient id=\"", id, "\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
            for (int i = 0; i <= 16; i++) {
                double at = i / 16.0;
                svg.line("<stop offset=\"", at * 100, "%\" stop-color=\"", SvgText.colour(palette.rgb(at)), "\"/>");
            }
            svg.line("</linearGradient>");
        }
        svg.line(
                "<rect ",
                SvgText.attributes("x", x, "y", y, "width", width, "height", height, "fill", "url(#" + id + ")"),
                " stroke=\"",
                paint(outline),
                "\"/>");
    }

    @Override
    public void line(Stroke stroke, double... points) {
        svg.add("<path d=\"M");
        for (int i = 0; i < points.length; i += 2) {
            svg.add(i == 0 ? "" : i == 2 ? "L" : " ", points[i], " ", points[i + 1]);
        }
        svg.add("\" ");
        stroke(stroke);
        svg.line("/>");
    }

    @Override
    public void curve(Stroke stroke, String hover, double... p) {
        svg.add(
                "<path d=\"M",
                p[0],
                " ",
                p[1],
                "C",
                p[2],
                " ",
                p[3],
                " ",
                p[4],
                " ",
                p[5],
                " ",
                p[6],
                " ",
                p[7],
                "\" ");
        stroke(stroke);
        end("path", hover);
    }

    private void stroke(Stroke stroke) {
        svg.add("fill=\"none\" stroke=\"", SvgText.colour(stroke.colour()), "\"");
        svg.add(" stroke-width=\"", stroke.width(), "\"");
        if (stroke.opacity() < 1) {
            svg.add(" stroke-opacity=\"", SvgText.precise(stroke.opacity()), "\"");
        }
        if (stroke.dashes().length > 0) {
            String dashes =
                    DoubleStream.of(stroke.dashes()).mapToObj(SvgText::number).collect(Collectors.joining(" "));
            svg.add(" stroke-dasharray=\"", dashes, "\"");
        }
    }

    @Override
    public void dot(double x, double y, double radius, int fill, double opacity, @Nullable String hover) {
        svg.add("<circle ", SvgText.attributes("cx", x, "cy", y, "r", radius, "fill", SvgText.colour(fill)));
        if (opacity < 1) {
            svg.add(" fill-opacity=\"", SvgText.precise(opacity), "\"");
        }
        end("circle", hover);
    }

    private void end(String tag, @Nullable String hover) {
        if (hover == null) {
            svg.line("/>");
        } else {
            svg.line("><title>", SvgText.escape(hover), "</title></", tag, ">");
        }
    }

    @Override
    public void text(double x, double y, Script script, String text) {
        var attributes = new SvgText();
        if (script.turn() == 0) {
            attributes.add("x=\"", x, "\" y=\"", y, "\"");
        } else {
            attributes.add("transform=\"translate(", x, " ", y, ") rotate(", script.turn(), ")\"");
        }
        attributes.add(" font-size=\"", script.size(), "\"");
        if (script.bold()) {
            attributes.add(" font-weight=\"600\"");
        }
        if (script.anchor() != Anchor.START) {
            attributes.add(" text-anchor=\"", script.anchor().name().toLowerCase(Locale.ROOT), "\"");
        }
        if (script.colour() != theme.ink()) {
            attributes.add(" fill=\"", SvgText.colour(script.colour()), "\"");
        }
        svg.text(attributes.toString(), text);
    }

    private static String paint(int colour) {
        return colour == NONE ? "none" : SvgText.colour(colour);
    }
}
