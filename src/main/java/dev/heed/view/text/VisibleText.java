package dev.heed.view.text;

/** Text with its invisible characters escaped, and its width in terminal columns. */
public final class VisibleText {
    private static final String ELLIPSIS = "…";

    private VisibleText() {}

    /**
     * {@return the text, in which characters that could break a line, move a cursor or change the reading direction are
     * escaped: <code>&#92;n</code>, <code>&#92;t</code>, <code>&#92;u001b</code>}
     */
    public static String of(String text) {
        var visible = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> visible.append("\\n");
                case '\r' -> visible.append("\\r");
                case '\t' -> visible.append("\\t");
                default -> {
                    if (isHidden(c)) {
                        visible.append("\\u").append(hex(c));
                    } else {
                        visible.appendCodePoint(c);
                    }
                }
            }
        });
        return visible.toString();
    }

    /**
     * {@return whether a character is escaped} Joiners are not escaped, because emoji and several scripts need them.
     * Non-characters and lone surrogates are escaped, because XML forbids them.
     */
    private static boolean isHidden(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE ->
                true;
            case Character.FORMAT -> c != 0x200C && c != 0x200D;
            default -> (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
        };
    }

    private static String hex(int c) {
        String digits = Integer.toHexString(c);
        return "0".repeat(Math.max(0, 4 - digits.length())) + digits;
    }

    /** {@return the width in columns of a terminal: 2 for wide characters and emoji, 0 for combining marks} */
    public static int columns(String text) {
        return text.codePoints().map(VisibleText::columns).sum();
    }

    static int columns(int c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0;
            default -> isWide(c) ? 2 : 1;
        };
    }

    /** Coarse ranges of the blocks that Unicode's EastAsianWidth.txt classifies as wide or full-width. */
    private static boolean isWide(int c) {
        return c >= 0x1100
                && (c <= 0x115F
                        || (c >= 0x2E80 && c <= 0xA4CF && c != 0x303F)
                        || (c >= 0xA960 && c <= 0xA97F)
                        || (c >= 0xAC00 && c <= 0xD7A3)
                        || (c >= 0xF900 && c <= 0xFAFF)
                        || (c >= 0xFE30 && c <= 0xFE6F)
                        || (c >= 0xFF00 && c <= 0xFF60)
                        || (c >= 0xFFE0 && c <= 0xFFE6)
                        || (c >= 0x1F300 && c <= 0x1F64F)
                        || (c >= 0x1F680 && c <= 0x1F6FF)
                        || (c >= 0x1F900 && c <= 0x1FAFF)
                        || (c >= 0x20000 && c <= 0x3FFFD));
    }

    /** {@return the text cut to a width in columns, with an ellipsis if it was cut} */
    public static String cut(String text, int columns) {
        if (columns(text) <= columns) {
            return text;
        }
        var kept = new StringBuilder();
        int width = 1;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            width += columns(c);
            if (width > columns) {
                break;
            }
            kept.appendCodePoint(c);
            i += Character.charCount(c);
        }
        return kept.append(ELLIPSIS).toString();
    }

    /** {@return the text padded with blanks on the left to a width} Longer text is cut. */
    public static String padLeft(String text, int columns) {
        String cut = cut(text, columns);
        return " ".repeat(Math.max(0, columns - columns(cut))) + cut;
    }

    /** {@return the text padded with blanks on the right to a width} Longer text is cut. */
    public static String padRight(String text, int columns) {
        String cut = cut(text, columns);
        return cut + " ".repeat(Math.max(0, columns - columns(cut)));
    }
}
