package dev.heed.demo;

import dev.heed.tensor.InvalidInputException;
import java.time.LocalDate;
import java.time.chrono.IsoChronology;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.FormatStyle;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A source of random dates in the formats of many languages, which the JDK's Common Locale Data Repository defines in
 * four lengths. Formats that are ambiguous without the language are excluded: formats with two-digit years, and formats
 * with numeric months unless the year comes first.
 */
public final class DateText {
    /** The language tags. Each language has at least one format that names the month or puts the year first. */
    static final List<String> LANGUAGES = List.of(
            "en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "it-IT", "pt-BR", "nl-NL", "sv-SE", "da-DK", "nb-NO", "fi-FI",
            "pl-PL", "cs-CZ", "sk-SK", "sl-SI", "hr-HR", "hu-HU", "ro-RO", "bg-BG", "ru-RU", "uk-UA", "el-GR", "tr-TR",
            "et-EE", "lv-LV", "lt-LT", "is-IS", "ga-IE", "ca-ES", "eu-ES", "sq-AL", "vi-VN", "id-ID", "ms-MY", "ko-KR",
            "ja-JP", "zh-CN");

    /** The range of days that are drawn: {@code FROM} is inclusive, {@code TO} exclusive. */
    static final LocalDate FROM = LocalDate.of(1900, 1, 1);

    static final LocalDate TO = LocalDate.of(2100, 1, 1);

    /**
     * A date with its text in one language.
     *
     * @param text the date in a format of the language
     * @param iso the date, such as {@code 2026-11-22}
     * @param language the language tag
     */
    public record Written(String text, String iso, String language) {}

    private record Format(String language, DateTimeFormatter formatter) {}

    private final List<Format> formats = new ArrayList<>();

    /** Creates a source, and collects the formats from the JDK. */
    public DateText() {
        if (ModuleLayer.boot().findModule("jdk.localedata").isEmpty()) {
            throw new InvalidInputException(
                    "This Java has the date formats of one language only",
                    "module jdk.localedata",
                    "a runtime image without it",
                    "run with a complete JDK, or jlink --add-modules jdk.localedata");
        }
        for (String language : LANGUAGES) {
            Locale locale = Locale.forLanguageTag(language);
            for (FormatStyle style : FormatStyle.values()) {
                String pattern = DateTimeFormatterBuilder.getLocalizedDateTimePattern(
                        style, null, IsoChronology.INSTANCE, locale);
                if (isClear(pattern)) {
                    formats.add(new Format(language, DateTimeFormatter.ofPattern(pattern, locale)));
                }
            }
        }
    }

    static boolean isClear(String pattern) {
        String letters = pattern.replaceAll("'[^']*'", "");
        boolean shortYear = letters.matches("(.*[^yu])?(yy|uu)([^yu].*)?");
        boolean named = letters.contains("MMM") || letters.contains("LLL");
        int year = letters.indexOf('y');
        boolean yearFirst = year >= 0 && year < letters.indexOf('M') && letters.indexOf('M') < letters.indexOf('d');
        return !shortYear && year >= 0 && (named || yearFirst);
    }

    /** {@return the number of formats} */
    public int formatCount() {
        return formats.size();
    }

    /** {@return the number of languages} */
    public int languageCount() {
        return (int) formats.stream().map(Format::language).distinct().count();
    }

    /** {@return whether a day is excluded from training: about one day in ten, by a fixed rule} */
    static boolean isHeldOut(LocalDate day) {
        return Math.floorMod(day.toEpochDay() * 0x9E3779B97F4A7C15L >>> 40, 10) == 0;
    }

    /**
     * {@return dates drawn at random}
     *
     * @param count number of dates
     * @param heldOut whether to draw from the days that are excluded from training, or from the others
     */
    public List<Written> draw(Random random, int count, boolean heldOut) {
        List<Written> drawn = new ArrayList<>();
        long days = TO.toEpochDay() - FROM.toEpochDay();
        while (drawn.size() < count) {
            LocalDate day = FROM.plusDays((long) (random.nextDouble() * days));
            Format format = formats.get(random.nextInt(formats.size()));
            if (isHeldOut(day) == heldOut) {
                drawn.add(new Written(format.formatter().format(day), day.toString(), format.language()));
            }
        }
        return drawn;
    }
}
