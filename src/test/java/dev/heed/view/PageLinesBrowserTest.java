package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the line view of a page. */
@Tag("slow")
class PageLinesBrowserTest extends PageInBrowser {
    @Test
    void aWordPointedAtDrawsItsLinesAsThickAsItsWeights() throws IOException {
        browser.open(page, "");
        assertEquals(256, lines().size(), "all words, all lines");
        browser.hover("[data-token=q10]");
        screen("lines-hover");
        List<Line> lines = lines();
        assertEquals(16, lines.size());
        double widest = lines.stream().mapToDouble(Line::width).max().orElseThrow();
        for (Line line : lines) {
            assertEquals(IT, line.from());
            assertEquals(weight(3, 1, IT, line.to()), line.weight(), 2e-5);
        }
        List<Line> byWeight =
                lines.stream().sorted(Comparator.comparingDouble(Line::weight)).toList();
        for (int i = 1; i < byWeight.size(); i++) {
            Line thin = byWeight.get(i - 1);
            Line thick = byWeight.get(i);
            assertTrue(thick.width() >= thin.width() && thick.opacity() >= thin.opacity(), thin + " " + thick);
            if (thin.width() > 0.5) {
                assertEquals(thick.weight() / thin.weight(), thick.width() / thin.width(), 0.01, "proportional");
            }
        }
        Line strongest = byWeight.getLast();
        assertEquals(ANIMAL, strongest.to(), "it looks at the animal");
        assertEquals(widest, strongest.width());
        assertEquals("0.677", text("document.querySelector('[data-number=k2]').textContent"));
        assertEquals("animal0.677", text("document.querySelector('#details li button').textContent"));
        browser.leave();
        assertEquals(256, lines().size());
    }

    @Test
    void aWordLookedAtShowsWhoLooks() throws IOException {
        browser.open(page, "");
        browser.hover("[data-token=k2]");
        screen("lines-looked-at");
        assertTrue(lines().stream().allMatch(line -> line.to() == ANIMAL && line.weight() > 0));
        assertEquals(16, lines().size());
        assertTrue(text("document.querySelector('#details').textContent").contains("is looked at by"));
    }

    @Test
    void severalWordsStayPinned() throws IOException {
        browser.open(page, "");
        browser.click("[data-token=q10]");
        browser.click("[data-token=q6]");
        browser.leave();
        assertEquals("#pin=q10,q6", hash());
        assertEquals(32, lines().size());
        screen("lines-pinned");
        browser.click("[data-token=q10]");
        browser.leave();
        assertTrue(lines().stream().allMatch(line -> line.from() == 6));
        assertEquals("true", text("document.querySelector('[data-token=q6]').getAttribute('aria-selected')"));
        browser.click("#unpin");
        assertEquals("", hash());
    }

    @Test
    void theThresholdKeepsTheTopMass() throws IOException {
        browser.open(page, "#heads=3.1&pin=q10");
        browser.js("(() => { const m = document.getElementById('mass'); m.value = 80;"
                + " m.dispatchEvent(new Event('input')); })()");
        browser.settle();
        screen("lines-threshold");
        assertEquals("#mass=80&pin=q10", hash());
        List<Line> lines = lines();
        double kept = lines.stream().mapToDouble(Line::weight).sum();
        double smallest = lines.stream().mapToDouble(Line::weight).min().orElseThrow();
        assertTrue(kept >= 0.8 && kept - smallest < 0.8, "the fewest lines that sum to 80 %: " + lines);
        assertTrue(text("document.querySelector('#details').textContent").contains("below the threshold"));
        assertEquals("80 %", text("document.getElementById('mass-text').textContent"));
    }

    @Test
    void specialTokensAreHidden() throws IOException {
        browser.open(page, "#pin=q10");
        choose("special", "hide");
        screen("lines-hidden");
        assertFalse(texts("[...document.querySelectorAll('#sheet text')].map(t => t.textContent)")
                .contains("[CLS]"));
        assertEquals(14, lines().size());
        assertEquals(weight(3, 1, IT, ANIMAL), weightOf(lines(), ANIMAL), 2e-5);
        choose("special", "renorm");
        double left = 1 - weight(3, 1, IT, 0) - weight(3, 1, IT, LAST);
        assertEquals(weight(3, 1, IT, ANIMAL) / left, weightOf(lines(), ANIMAL), 5e-5);
        assertEquals(1, lines().stream().mapToDouble(Line::weight).sum(), 1e-4);
        assertEquals("#special=renorm&pin=q10", hash());
    }

    @Test
    void across() throws IOException {
        browser.open(page, "#pin=q10");
        browser.click("#direction [data-value='1']");
        screen("lines-across");
        assertEquals("#across=1&pin=q10", hash());
        var tops = texts("['q2', 'q10', 'k2'].map(t => { const b = document.querySelector(`[data-token=${t}] rect`)"
                + ".getBoundingClientRect(); return Math.round(b.x) + ' ' + Math.round(b.y); })");
        String[] animalAt = tops.get(0).split(" ");
        String[] itAt = tops.get(1).split(" ");
        assertEquals(animalAt[1], itAt[1], "in one row");
        assertTrue(Integer.parseInt(animalAt[0]) < Integer.parseInt(itAt[0]), "from left to right");
        assertTrue(Integer.parseInt(tops.get(2).split(" ")[1]) > Integer.parseInt(animalAt[1]), "keys below queries");
        assertEquals(16, lines().size());
    }
}
