package dev.heed.course;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PageTest {
    private static final String PAGE = """
            # A page

            ```java
            int x = 1;
            ```

            Nothing printed. It is <!--= x + 1 -->two<!---->, and again <!--= x --><!---->.

            ```java
            System.out.println(x);
            ```

            ```text
            old
            ```

            ```text
            not an output
            ```
            """;

    @Test
    void pagesComeApartAndTogether() {
        Page page = Page.parse("en/a.md", PAGE);
        assertEquals(List.of("int x = 1;\n", "x + 1", "x", "System.out.println(x);\n"), page.live());
        assertEquals(PAGE, page.markdown());
        assertTrue(page.parts().contains(new Page.Code("System.out.println(x);\n", "old\n")));
    }

    @Test
    void anotherLanguageTakesTheResultsOver() {
        Page page = Page.parse("zh/a.md", PAGE.replace("A page", "页"));
        Page ran = Page.parse("en/a.md", PAGE.replace("old", "1").replace("two", "2"));
        String text = page.withResultsOf(ran).markdown();
        assertTrue(text.contains("页") && text.contains("-->2<!---->") && text.contains("```text\n1\n```"), text);
    }

    @Test
    void otherCodeIsRefused() {
        Page page = Page.parse("zh/a.md", PAGE);
        for (String other :
                List.of(PAGE.replace("int x", "long x"), PAGE.replace("= x -->", "= y -->"), "", PAGE + PAGE)) {
            assertRefused(null, () -> page.withResultsOf(Page.parse("en/a.md", other)));
        }
    }
}
