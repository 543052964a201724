package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests a page without a mouse, with a dark theme, on narrow screens, in old browsers and through links. */
@Tag("slow")
class PageReadersBrowserTest extends PageInBrowser {
    @Test
    void aLinkBringsTheStateBack() throws IOException {
        String link = "#view=map&heads=2.3,4&mix=max&mass=70&special=renorm&across=1&colours=grey&pin=q2,k5&theme=dark";
        browser.open(page, link);
        screen("map-dark");
        assertEquals(link, hash());
        assertEquals("map", text("document.querySelector('#views [aria-checked=true]').dataset.value"));
        assertEquals("max", text("document.getElementById('mix').value"));
        assertEquals(
                13,
                browser.js("document.querySelectorAll('.heads .cell[aria-pressed=true]').length")
                        .getAsInt());
        assertEquals("dark", text("document.documentElement.dataset.theme"));
        browser.js("location.hash = '#heads=3.1'");
        browser.await("document.querySelector('#views [aria-checked=true]').dataset.value === 'lines'");
        browser.open(page, "#view=nothing&heads=99.1,x&mass=1000&pin=q999,<b>&special=%ZZ&&=");
        assertEquals("", hash(), "the invalid parts of a link are ignored");
        assertEquals(256, lines().size());
    }

    @Test
    void withoutAMouse() throws IOException {
        browser.open(page, "");
        browser.js("document.getElementById('direction').querySelector('[tabindex=\"0\"]').focus()");
        browser.key("Tab");
        assertEquals("q0", text("document.activeElement.dataset.token"));
        for (int i = 0; i < IT; i++) {
            browser.key("ArrowDown");
        }
        assertEquals("q10", text("document.activeElement.dataset.token"));
        assertTrue(lines().stream().allMatch(line -> line.from() == IT), "the word with the focus shows its lines");
        assertEquals(
                "it, word 11 of 16, looks at animal 0.677, [CLS] 0.102, it 0.064",
                text("document.activeElement.getAttribute('aria-label')"));
        screen("keyboard");
        browser.key("Enter");
        assertEquals("#pin=q10", hash());
        assertEquals("it pinned", text("document.getElementById('live').textContent"));
        browser.key("ArrowRight");
        assertEquals("k10", text("document.activeElement.dataset.token"));
        browser.key("Home");
        assertEquals("k0", text("document.activeElement.dataset.token"));
        browser.key("Escape");
        assertEquals("", hash());
        browser.open(page, "#view=map");
        browser.js("document.querySelector('#sheet svg').focus()");
        browser.key("ArrowDown");
        browser.key("ArrowDown");
        browser.key("ArrowRight");
        assertEquals(
                String.format(Locale.ROOT, "the → the: %.3f", weight(3, 1, 1, 1)),
                text("document.getElementById('live').textContent"));
        browser.open(page, "#view=heads");
        browser.js("document.querySelector(\"[data-cell='3.1']\").focus()");
        browser.key("ArrowDown");
        browser.key("Enter");
        assertEquals("#heads=4.1", hash());
        assertTrue(text("document.getElementById('live').textContent").startsWith("Lines, layer 4, head 1"));
    }

    @Test
    void everyControlHasAName() {
        browser.open(page, "#pin=q10");
        assertEquals(
                List.of(),
                texts("[...document.querySelectorAll('button, select, input, [role]')].filter(e => !(e.ariaLabel"
                        + " || e.textContent.trim() || e.labels?.length || e.getAttribute('aria-labelledby')"
                        + " || e.getAttribute('role') === 'status')).map(e => e.outerHTML)"));
        assertEquals(
                1,
                browser.js("document.querySelectorAll('#sheet [tabindex=\"0\"]').length")
                        .getAsInt());
    }

    @Test
    void lightAndDark() throws IOException {
        browser.preferDark(true);
        browser.open(page, "#pin=q10");
        assertEquals("dark", text("document.documentElement.dataset.theme"));
        screen("dark");
        browser.click("#theme");
        assertEquals("#pin=q10&theme=light", hash());
        assertEquals("light", text("document.documentElement.dataset.theme"));
    }

    @Test
    void aPhone() throws IOException {
        browser.size(400, 800);
        browser.open(page, "#pin=q10");
        screen("phone");
        assertTrue(browser.js("document.documentElement.scrollWidth <= 400").getAsBoolean(), "nothing sticks out");
    }

    @Test
    void aBrowserWithoutDecompression() throws IOException {
        browser.open(page, "#pin=q10&heads=all");
        List<Line> expected = lines();
        Path old = pages.resolve("old.html");
        // The new first script removes a feature that an old browser lacks. The policy is removed too because it does
        // not contain the hash of this script.
        String html = Files.readString(page)
                .replaceFirst("<meta http-equiv[^>]+>", "<script>DecompressionStream = undefined</script>");
        Files.writeString(old, html.replace("Uint8Array.fromBase64", "Uint8Array.from_Base64"));
        browser.open(old, "#pin=q10&heads=all");
        assertEquals("undefined", text("typeof DecompressionStream"));
        assertEquals(expected, lines());
        assertNotEquals(List.of(), expected);
    }
}
