package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Attention;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the page of a long text, from the kernels to the browser. The kernels return only the largest weights of each
 * row, never the whole matrix. The test uses 4,096 tokens and 12 heads with {@code -Dheed.full=true}, otherwise 1,024
 * and 4.
 */
@Tag("slow")
class LongPageTest {
    private static final boolean FULL = Boolean.getBoolean("heed.full");
    private static final int TOKENS = FULL ? 4096 : 1024;
    private static final int HEADS = FULL ? 12 : 4;
    private static final int WIDTH = 64;
    private static final int KEPT = 64;

    @TempDir
    Path directory;

    /**
     * Computes attention in which each query resembles the key of one other token. The resemblance grows with the head,
     * so that rows range from flat to sharp.
     */
    private static AttentionResult attend() {
        var random = new Random(9);
        float[] keys = new float[HEADS * TOKENS * WIDTH];
        float[] queries = new float[keys.length];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = (float) random.nextGaussian();
        }
        for (int head = 0; head < HEADS; head++) {
            for (int i = 0; i < TOKENS; i++) {
                int from = (head * TOKENS + i) * WIDTH;
                int to = (head * TOKENS + target(head, i)) * WIDTH;
                for (int d = 0; d < WIDTH; d++) {
                    queries[from + d] = (float) (0.3 * random.nextGaussian() + keys[to + d] * (1 + head) / 6);
                }
            }
        }
        Tensor k = Tensor.of(keys, 1, HEADS, TOKENS, WIDTH);
        return Attention.scaledDotProduct(
                Tensor.of(queries, 1, HEADS, TOKENS, WIDTH),
                k,
                k,
                AttentionOptions.DEFAULT.withTopK(KEPT).withBackend("vector"));
    }

    private static int target(int head, int token) {
        return Math.floorMod(token * 7 + head * 31, TOKENS);
    }

    @Test
    void opens() throws IOException {
        Path file = directory.resolve("long.html");
        long start = System.nanoTime();
        AttentionResult result = attend();
        long computed = System.nanoTime();
        AttentionPage.of(IntStream.range(0, TOKENS).mapToObj(i -> "token" + i).toList())
                .title(String.format(Locale.ROOT, "%,d tokens, %d heads", TOKENS, HEADS))
                .strongest(
                        "layer 0",
                        result.topKWeights().select(0, 0),
                        result.topKIndices().select(0, 0))
                .opensAt(0, HEADS - 1)
                .write(file);
        long written = System.nanoTime();
        long size = Files.size(file);
        assertTrue(size < 20_000_000, size + " bytes");
        assertTrue(written - start < 300e9, "five times the limit for an idle machine");
        try (Chromium browser = Chromium.start()) {
            browser.size(1360, 800);
            browser.open(file, "");
            int ready =
                    browser.js("Number(document.documentElement.dataset.ready)").getAsInt();
            System.out.printf(
                    Locale.ROOT,
                    "page of %d tokens, %d heads: kernels %.1f s, written in %.1f s, %.1f MB, drawn %.2f s after it was"
                            + " opened%n",
                    TOKENS,
                    HEADS,
                    (computed - start) / 1e9,
                    (written - computed) / 1e9,
                    size / 1e6,
                    ready / 1e3);
            assertTrue(ready < 15_000, ready + " ms; the limit for an idle machine is 3 s");
            look(browser, file);
            assertEquals(List.of(), browser.troubles());
        }
    }

    private static void look(Chromium browser, Path file) throws IOException {
        browser.screenshot(Path.of("target/screens/long.png"));
        String kept = browser.js("document.getElementById('kept').textContent").getAsString();
        assertTrue(kept.contains("the others are left out"), kept);
        assertTrue(
                browser.js("document.querySelectorAll('[data-token]').length < 200")
                        .getAsBoolean(),
                "only visible tokens are drawn");
        browser.open(file, "#pin=q5");
        browser.screenshot(Path.of("target/screens/long-pinned.png"));
        int last = HEADS - 1;
        assertEquals(
                target(last, 5),
                browser.js("Number([...document.querySelectorAll('path[data-from]')].sort((a, b) =>"
                                + " b.dataset.weight - a.dataset.weight)[0].dataset.to)")
                        .getAsInt(),
                "the strongest line ends at the target, however far away it is");
        browser.js("document.getElementById('stage').scrollTop = 20000");
        browser.settle();
        browser.settle();
        assertTrue(
                browser.js("[...document.querySelectorAll('[data-token^=q]')].some(t => t.dataset.token === 'q720')")
                        .getAsBoolean(),
                "scrolled");
        browser.open(file, "#view=map&heads=0");
        browser.screenshot(Path.of("target/screens/long-map.png"));
        browser.open(file, "#view=heads");
        browser.screenshot(Path.of("target/screens/long-heads.png"));
    }
}
