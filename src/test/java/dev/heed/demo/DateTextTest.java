package dev.heed.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.demo.DateText.Written;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests of the texts that the date translator reads. */
class DateTextTest {
    private final DateText dates = new DateText();

    @Test
    void manyLanguagesInSeveralLengths() {
        assertTrue(dates.languageCount() >= 30, dates.languageCount() + " languages");
        assertTrue(dates.formatCount() >= 90, dates.formatCount() + " formats");
    }

    /**
     * A format with a numeric month is unambiguous only if the year comes first; a format with a two-digit year is
     * always ambiguous.
     */
    @Test
    void unclearFormatsAreLeftOut() {
        assertFalse(DateText.isClear("M/d/yy"));
        assertFalse(DateText.isClear("dd/MM/y"));
        assertFalse(DateText.isClear("yy. M. d."));
        assertTrue(DateText.isClear("y-MM-dd"));
        assertTrue(DateText.isClear("EEEE, d 'de' MMMM 'de' y"));
    }

    /** Each text has one meaning: among many drawn dates, no two different ones have the same text. */
    @Test
    void oneTextMeansOneDate() {
        Map<String, String> meanings = new HashMap<>();
        for (Written date : dates.draw(new Random(1), 50_000, false)) {
            String before = meanings.put(date.text(), date.iso());
            assertTrue(before == null || before.equals(date.iso()), date + " and " + before);
        }
    }

    @Test
    void testDaysAreNeverTrained() {
        var random = new Random(2);
        dates.draw(random, 2000, true).forEach(date -> assertTrue(DateText.isHeldOut(LocalDate.parse(date.iso()))));
        dates.draw(random, 2000, false).forEach(date -> assertFalse(DateText.isHeldOut(LocalDate.parse(date.iso()))));
        long heldOut = DateText.FROM
                .datesUntil(DateText.TO)
                .filter(DateText::isHeldOut)
                .count();
        assertEquals(0.1, heldOut / 73_049.0, 0.01);
    }

    @Test
    void theSameSeedDrawsTheSameDates() {
        assertEquals(dates.draw(new Random(3), 50, false), dates.draw(new Random(3), 50, false));
    }
}
