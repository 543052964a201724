package dev.heed.view.page;

import dev.heed.view.text.VisibleText;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** A writer of JSON for a script element: no text can end the element, and invisible characters are escaped. */
public final class PageJson {
    private PageJson() {}

    public static String text(String text) {
        var out = new StringBuilder("\"");
        VisibleText.of(text).chars().forEach(c -> {
            boolean plain = c >= ' ' && "\"\\<>&'".indexOf(c) < 0;
            out.append(plain ? String.valueOf((char) c) : String.format(Locale.ROOT, "\\u%04x", c));
        });
        return out.append('"').toString();
    }

    public static String texts(Collection<String> texts) {
        return texts.stream().map(PageJson::text).collect(Collectors.joining(",", "[", "]"));
    }

    public static String numbers(Collection<? extends Number> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }

    /** {@return an object from alternating names and JSON values} */
    public static String object(String... namesAndValues) {
        var out = new StringBuilder("{");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            out.append(i == 0 ? "" : ",")
                    .append(text(namesAndValues[i]))
                    .append(':')
                    .append(namesAndValues[i + 1]);
        }
        return out.append('}').toString();
    }
}
