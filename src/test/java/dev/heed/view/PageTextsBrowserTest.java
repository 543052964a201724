package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.Tensor;
import dev.heed.view.text.VisibleText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests pages of texts other than one English sentence. */
@Tag("slow")
class PageTextsBrowserTest extends PageInBrowser {
    @Test
    void unusualTokensAreText() throws IOException {
        List<String> nasty = AttentionPageTest.NASTY;
        int n = nasty.size();
        var random = new Random(7);
        float[] weights = new float[2 * n * n];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = random.nextFloat() / n;
        }
        weights[5] = Float.NaN;
        Path file = pages.resolve("nasty.html");
        AttentionPage.of(nasty)
                .title("<script>alert(1)</script>")
                .layer("<b>layer</b>", Tensor.of(weights, 2, n, n))
                .pinned(0)
                .write(file);
        for (String view : List.of("lines", "map", "heads", "heads&pin=", "lines&across=1")) {
            browser.open(file, "#view=" + view);
            screen("nasty-" + view.replaceAll("&([a-z]+)=1?", "-$1"));
            assertEquals(3, browser.js("document.scripts.length").getAsInt(), "no script but the page's three");
            assertEquals(
                    0,
                    browser.js("document.querySelectorAll('img, b:not(#details b)').length")
                            .getAsInt());
        }
        browser.open(file, "");
        List<String> labels = texts("[...document.querySelectorAll('[data-token]')].map(t =>"
                + " (t.querySelector('title') ?? t.querySelector('text')).textContent)");
        for (String token : nasty) {
            assertTrue(labels.contains(token.isEmpty() ? "(empty)" : VisibleText.of(token)), token);
        }
    }

    @Test
    void aPairIsColouredBySegment() throws IOException {
        List<String> words = List.of("who", "slept", "?", "the", "cat", "slept", "on", "the", "mat", ".");
        browser.open(written("pair", AttentionPage.of(words).segments(0, 0, 0, 1, 1, 1, 1, 1, 1, 1), 10, 10), "");
        screen("pair");
        assertEquals(
                2,
                texts("[...new Set([...document.querySelectorAll('#sheet path')].map(p => p.getAttribute('stroke')))]")
                        .size());
    }

    @Test
    void aTranslationHasTwoTexts() throws IOException {
        List<String> outputs = List.of("l'", "accord", "sur", "la", "zone", "économique");
        List<String> inputs = List.of("the", "agreement", "on", "the", "European", "Economic", "Area", ".");
        browser.open(written("translation", AttentionPage.of(outputs, inputs).pinned(4), 6, 8), "");
        screen("translation");
        assertEquals(8, lines().size());
        assertTrue(browser.js("document.querySelector('#mix [value=rollout]').disabled")
                .getAsBoolean());
        browser.open(pages.resolve("translation.html"), "#view=map");
        assertEquals(
                48,
                browser.js("document.querySelectorAll('rect[data-row]').length").getAsInt());
    }
}
