package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** Compares the saved SVG and PNG pictures with the visible page: lines, labels, size and colours. */
@Tag("slow")
class PageExportBrowserTest extends PageInBrowser {
    @TempDir
    Path downloads;

    @Test
    void savesWhatIsSeen() throws Exception {
        browser.downloadTo(downloads);
        browser.open(page, "#pin=q10&mass=90&special=hide");
        browser.click("#svg");
        Document svg = parse(saved("svg"));
        List<Line> seen = lines();
        var paths = svg.getElementsByTagName("path");
        assertEquals(seen.size(), paths.getLength());
        for (int i = 0; i < paths.getLength(); i++) {
            assertEquals(
                    seen.get(i).width(), Double.parseDouble(((Element) paths.item(i)).getAttribute("stroke-width")));
        }
        assertTrue(svg.getDocumentElement().getTextContent().contains("animal"));
        assertFalse(svg.getDocumentElement().getTextContent().contains("[CLS]"));
        browser.click("#png");
        BufferedImage image = ImageIO.read(saved("png").toFile());
        assertEquals(
                2
                        * Integer.parseInt(
                                svg.getDocumentElement().getAttribute("width").replaceAll("\\..*", "")),
                image.getWidth(),
                2);
        assertEquals(0xFFFFFFFF, image.getRGB(3, 3), "background");
        assertEquals(0xFF0072B2, image.getRGB(centre(svg, "it")[0], centre(svg, "it")[1] - 18), "the pinned word");
    }

    private Path saved(String extension) throws IOException {
        Path file = downloads.resolve("the-animal-didn-t-cross-the-street-becau." + extension);
        for (int i = 0; i < 600 && (!Files.exists(file) || Files.size(file) == 0); i++) {
            browser.settle();
        }
        Files.createDirectories(SCREENS);
        Files.copy(file, SCREENS.resolve("saved." + extension), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        return file;
    }

    private static Document parse(Path svg) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(Files.readString(svg))));
    }

    /**
     * {@return the pixel of a point 30 SVG units to the left of a label's anchor, on its baseline} The image has twice the
     * resolution of the SVG.
     */
    private static int[] centre(Document svg, String label) {
        var texts = svg.getElementsByTagName("text");
        for (int i = 0; i < texts.getLength(); i++) {
            Element text = (Element) texts.item(i);
            if (text.getTextContent().equals(label)) {
                return new int[] {
                    (int) (2 * Double.parseDouble(text.getAttribute("x"))) - 60,
                    (int) (2 * Double.parseDouble(text.getAttribute("y")))
                };
            }
        }
        throw new AssertionError("no label " + label);
    }
}
