package dev.heed.view.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VisibleTextTest {
    @Test
    void controlsAreWrittenOut() {
        assertEquals("a\\nb\\tc\\rd", VisibleText.of("a\nb\tc\rd"));
        assertEquals("\\u001b[31m\\u0000\\u007f\\u0085", VisibleText.of("\u001b[31m\0\u007f\u0085"));
        assertEquals("\\u2028 \\u2029", VisibleText.of("\u2028 \u2029"));
    }

    @Test
    void whatTurnsTheDirectionOrIsNoCharacterIsWrittenOut() {
        assertEquals("\\u202eabc\\u2066", VisibleText.of("\u202eabc\u2066"));
        assertEquals("\\ufeffx\\uffff\\ufffe", VisibleText.of("\ufeffx\uffff\ufffe"));
        assertEquals("\\ud800x", VisibleText.of("\ud800x"));
    }

    @Test
    void textStaysText() {
        assertEquals("naïve 注意 👩‍🚀 می‌خواهم", VisibleText.of("naïve 注意 👩‍🚀 می‌خواهم"));
    }

    @ParameterizedTest
    @CsvSource({"'',0", "abc,3", "注意力,6", "é,1", "e\u0301,1", "한글,4", "カ,2", "ﾊ,1", "😀,2", "a注,3"})
    void widthInColumns(String text, int columns) {
        assertEquals(columns, VisibleText.columns(text));
    }

    @ParameterizedTest
    @CsvSource({"abcdef,6,abcdef", "abcdef,5,abcd…", "abcdef,1,…", "注意力,6,注意力", "注意力,5,注意…", "注意力,4,注…", "😀😀,3,😀…"})
    void cutsAtWholeCharacters(String text, int columns, String expected) {
        assertEquals(expected, VisibleText.cut(text, columns));
    }

    @Test
    void padsByColumns() {
        assertEquals("  注", VisibleText.padLeft("注", 4));
        assertEquals("注  |", VisibleText.padRight("注", 4) + "|");
        assertEquals("ab…", VisibleText.padRight("abcdef", 3));
    }
}
