package dev.heed.view.text;

/** An estimate of the width of a text without any font, so that pictures have the same layout on every machine. */
public final class TextWidth {
    private TextWidth() {}

    /** {@return the approximate width of a text in a sans-serif font; it is more often too large than too small} */
    public static double of(String text, double font) {
        return font
                * text.codePoints()
                        .mapToDouble(c -> {
                            int columns = VisibleText.columns(c);
                            if (columns != 1) {
                                return columns / 2.0;
                            }
                            return "iljtfI.,:;'|!()[] ".indexOf(c) >= 0
                                    ? 0.34
                                    : "mwMW@%".indexOf(c) >= 0 ? 0.9 : Character.isUpperCase(c) ? 0.7 : 0.57;
                        })
                        .sum();
    }
}
