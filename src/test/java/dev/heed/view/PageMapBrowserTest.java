package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the heat map view of a page. */
@Tag("slow")
class PageMapBrowserTest extends PageInBrowser {
    @Test
    void theHeatMapIsBrightestWhereTheWeightIsLargest() throws IOException {
        browser.open(page, "#special=hide");
        browser.click("#views [data-value=map]");
        browser.hover("rect[data-row='10'][data-column='2']");
        screen("map");
        assertEquals("it → animal: 0.677", text("document.querySelector('[data-readout]').textContent"));
        String script = "[...document.querySelectorAll('rect[data-row]')].map(r => r.getAttribute('data-weight') + ' '"
                + " + r.getAttribute('fill').match(/\\d+/g).reduce((sum, c, i) => sum + [0.3, 0.6, 0.1][i] * c, 0))";
        List<double[]> cells = texts(script).stream()
                .map(cell -> cell.split(" "))
                .map(f -> new double[] {Double.parseDouble(f[0]), Double.parseDouble(f[1])})
                .sorted(Comparator.comparingDouble(cell -> cell[0]))
                .toList();
        assertEquals(14 * 14, cells.size());
        for (int i = 1; i < cells.size(); i++) {
            assertTrue(cells.get(i)[1] >= cells.get(i - 1)[1] - 1.5, "brighter is stronger");
        }
        assertTrue(cells.getLast()[1] > cells.getFirst()[1] + 100);
        choose("palette", "1");
        assertEquals("#view=map&special=hide&colours=cividis", hash());
    }
}
