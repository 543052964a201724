package dev.heed.view.text;

/** How much room a text takes, without asking any font: pictures are laid out alike on every machine. */
public final class TextWidth {
    private TextWidth() {}

    /** {@return about how wide a sans-serif face sets a text, on the generous side} */
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
