package dev.heed.view.text;

import java.util.Locale;

/**
 * A builder of SVG documents. Numbers are written without an exponent; text is escaped, and its invisible characters
 * are made visible.
 */
public final class SvgText {
    private final StringBuilder out = new StringBuilder(1 << 14);

    /** Adds markup: the pieces in order, with numbers formatted by {@link #number}. */
    public SvgText add(Object... pieces) {
        for (Object piece : pieces) {
            out.append(piece instanceof Double d ? number(d) : piece);
        }
        return this;
    }

    public SvgText line(Object... pieces) {
        return add(pieces).add("\n");
    }

    /** Adds one line of text; {@code attributes} contains its position and anchor. */
    public SvgText text(String attributes, String text) {
        return line("<text ", attributes, ">", escape(text), "</text>");
    }

    @Override
    public String toString() {
        return out.toString();
    }

    public static String attributes(Object... namesAndValues) {
        var out = new SvgText();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            out.add(i == 0 ? "" : " ", namesAndValues[i], "=\"", namesAndValues[i + 1], "\"");
        }
        return out.toString();
    }

    /** {@return a text escaped for an element or an attribute} */
    public static String escape(String text) {
        return VisibleText.of(text)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    /** {@return a length, to a hundredth of a pixel, without trailing zeros} */
    public static String number(double value) {
        if (value == Math.rint(value)) {
            return Long.toString((long) value);
        }
        return String.format(Locale.ROOT, "%.2f", value).replaceAll("\\.?0+$", "");
    }

    /** {@return a number between 0 and 1, to four decimals, without trailing zeros} */
    public static String precise(double value) {
        return String.format(Locale.ROOT, "%.4f", value).replaceAll("\\.?0+$", "");
    }

    public static String colour(int rgb) {
        return String.format(Locale.ROOT, "#%06x", rgb);
    }
}
