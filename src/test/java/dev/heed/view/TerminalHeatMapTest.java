package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.view.text.VisibleText;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TerminalHeatMapTest {
    private static final String ESCAPE = "\u001b";
    private static final HeatMap MAP = HeatMap.of(new double[][] {{0, 0.5}, {1, Double.NaN}})
            .rows(List.of("the", "注意"))
            .columns(List.of("ab", "力"))
            .title("two");

    @Test
    void blocks() {
        assertEquals("""
                two
                     a
                     b 力
                 the   ▒▒
                注意 ██??
                     0     ░░░░▒▒▒▒▓▓▓▓████ 1
                """, MAP.terminal(TerminalColors.BLOCKS));
    }

    @Test
    void ascii() {
        assertEquals("""
                two
                    a
                    b ?
                the   ++
                 ?? @@??
                    0   ..::--==++**##%%@@ 1
                """, MAP.terminal(TerminalColors.ASCII));
    }

    @Test
    void trueColor() {
        String text = MAP.terminal(TerminalColors.TRUE_COLOR);
        assertTrue(text.contains(" the \u001b[48;2;68;1;84m  \u001b[48;2;33;145;140m  \u001b[0m\n"), text);
        assertTrue(text.contains("注意 \u001b[48;2;253;231;37m  \u001b[0m??\u001b[0m\n"), text);
    }

    @Test
    void colors256() {
        String text = MAP.terminal(TerminalColors.COLORS_256);
        assertTrue(text.contains("\u001b[48;5;"), text);
        assertFalse(text.contains("48;2;"), text);
        String grey = MAP.palette(Palette.GREY).terminal(TerminalColors.COLORS_256);
        assertTrue(grey.contains("\u001b[48;5;16m") && grey.contains("\u001b[48;5;231m"), grey);
    }

    @ParameterizedTest
    @EnumSource
    void labelsCannotMoveTheCursor(TerminalColors colors) {
        String text = HeatMap.of(new double[][] {{1}})
                .rows(List.of("\u001b[2J\r"))
                .columns(List.of("a\nb"))
                .title("\u0007\u202e")
                .terminal(colors);
        assertFalse(text.contains("\u001b[2J") || text.contains("\r") || text.contains("\u0007"), text);
        assertTrue(text.contains("\\u001b[2J\\r") && text.startsWith("\\u0007"), text);
        if (colors == TerminalColors.BLOCKS || colors == TerminalColors.ASCII) {
            assertFalse(text.contains(ESCAPE), text);
        }
        if (colors == TerminalColors.ASCII) {
            assertTrue(text.chars().allMatch(c -> c < 0x7F), text);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noLineIsWiderThanAskedFor(TerminalColors colors) {
        List<String> labels = Collections.nCopies(600, "a label that is long 注意力机制");
        for (int width : new int[] {40, 80, 120}) {
            String text = HeatMap.of(new double[600][600])
                    .rows(labels)
                    .columns(labels)
                    .title("t".repeat(500))
                    .terminal(colors, width);
            text.lines()
                    .map(line -> line.replaceAll("\u001b\\[[0-9;]*m", ""))
                    .forEach(line -> assertTrue(VisibleText.columns(line) <= width, width + ": " + line));
            assertTrue(text.contains("Each cell is the mean of "), "the caption states that values are averaged");
        }
    }

    @Test
    void oneCell() {
        assertEquals(
                "  0\n0 ██\n  0     ░░░░▒▒▒▒▓▓▓▓████ 0.3\n",
                HeatMap.of(new double[][] {{0.3}}).terminal(TerminalColors.BLOCKS));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "xterm-256color, truecolor, -, true, UTF-8, TRUE_COLOR",
                "xterm, 24bit, '', true, UTF-8, TRUE_COLOR",
                "xterm-direct, -, -, true, UTF-8, TRUE_COLOR",
                "xterm-256color, -, -, true, UTF-8, COLORS_256",
                "xterm-256color, truecolor, 1, true, UTF-8, BLOCKS",
                "xterm-256color, truecolor, -, false, UTF-8, BLOCKS",
                "dumb, truecolor, -, true, UTF-8, BLOCKS",
                "-, truecolor, -, true, UTF-8, BLOCKS",
                "xterm, truecolor, 1, true, US-ASCII, ASCII",
                "xterm, truecolor, -, false, ISO-8859-1, ASCII"
            })
    void detects(
            String term, String colorTerm, String noColor, boolean terminal, String charset, TerminalColors expected) {
        Map<String, String> environment = new HashMap<>();
        environment.put("TERM", term);
        environment.put("COLORTERM", colorTerm);
        environment.put("NO_COLOR", noColor);
        environment.values().removeIf(Objects::isNull);
        assertEquals(expected, TerminalColors.detect(environment, terminal, Charset.forName(charset)));
    }

    @Test
    void detectsThisProcessWithoutEscapesWhereThereIsNoTerminal() {
        assertFalse(System.console() == null && TerminalColors.detect() == TerminalColors.TRUE_COLOR);
        assertEquals(TerminalColors.BLOCKS, TerminalColors.detect(Map.of(), false, StandardCharsets.UTF_8));
    }
}
