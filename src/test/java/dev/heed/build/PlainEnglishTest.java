package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Searches comments and pages for phrases that make a sentence hard to read and that a regular expression can find. A hit
 * is either rewritten or, if the sentence is plain, listed with a reason.
 */
class PlainEnglishTest {
    private static final int MOST_EXCEPTIONS = 40;

    private static final Map<String, Pattern> PATTERNS = patterns();

    /** A phrase of one file that is plain English although a pattern matches it. */
    private record Plain(String file, String phrase, String reason) {}

    private static final List<Plain> EXCEPTIONS = List.of(
            new Plain("Backends.java", "all of which", "a plain relative clause"),
            new Plain("Mask.java", "all of which", "a plain relative clause"),
            new Plain("Mask.java", "at least one of which", "a plain relative clause"),
            new Plain("docs/semantics.md", "What attention means here", "the title of the contract"),
            new Plain("docs/vocabulary.md", "number by number", "the page names the phrase that it replaces"),
            new Plain("README.md", "What runs where", "a question that readers have"));

    @Test
    void commentsAndPagesAreWithoutTheHardPatterns() {
        List<String> hits = new ArrayList<>();
        var used = new TreeSet<Integer>();
        for (Path file : Prose.files()) {
            for (Prose prose : Prose.of(file)) {
                PATTERNS.forEach((name, pattern) -> {
                    Matcher hit = pattern.matcher(prose.text());
                    while (hit.find()) {
                        int exception = exception(prose, hit);
                        if (exception < 0) {
                            hits.add(file + ":" + prose.line() + " [" + name + "] " + context(prose.text(), hit));
                        } else {
                            used.add(exception);
                        }
                    }
                });
            }
        }
        assertEquals("", String.join("\n", hits), "rewrite each sentence, or list it in EXCEPTIONS with a reason");
        for (int i = 0; i < EXCEPTIONS.size(); i++) {
            assertTrue(used.contains(i), EXCEPTIONS.get(i) + " is not needed any more");
        }
        assertTrue(EXCEPTIONS.size() < MOST_EXCEPTIONS, EXCEPTIONS.size() + " exceptions");
    }

    @Test
    void everyPatternMatchesItsExample() {
        Map<String, String> examples = Map.ofEntries(
                Map.entry("that of", "the width, or that of the value"),
                Map.entry("so many", "a pointer to so many bytes"),
                Map.entry("nobody", "it waits for nobody"),
                Map.entry("behind", "the key behind the last"),
                Map.entry("beside", "a buffer beside the output"),
                Map.entry("whatever", "whatever the mask holds"),
                Map.entry("person", "a kernel knows its tile"),
                Map.entry("stands", "the tensor lies on the device"),
                Map.entry("for as because", "steps are long, for every change is slow"),
                Map.entry("postponed quantity", "Keys of one step at most."),
                Map.entry("is no", "a device that is no GPU"),
                Map.entry("postponed subject", "Of what is free, a tenth is left"),
                Map.entry("question", "What a task reads"),
                Map.entry("element-wise", "added number by number"),
                Map.entry("exclusive end", "one past the last query"),
                Map.entry("possessive", "the arena is the caller's"));
        assertEquals(PATTERNS.keySet(), examples.keySet());
        examples.forEach((name, text) -> assertTrue(pattern(name).matcher(text).find(), name + ": " + text));
    }

    private static int exception(Prose prose, Matcher hit) {
        for (int i = 0; i < EXCEPTIONS.size(); i++) {
            Plain plain = EXCEPTIONS.get(i);
            int at = prose.text().indexOf(plain.phrase());
            if (prose.file().endsWith(plain.file())
                    && at >= 0
                    && hit.start() >= at
                    && hit.end() <= at + plain.phrase().length()) {
                return i;
            }
        }
        return -1;
    }

    private static String context(String text, Matcher hit) {
        return text.substring(Math.max(0, hit.start() - 50), Math.min(text.length(), hit.end() + 50));
    }

    private static Pattern pattern(String name) {
        return Objects.requireNonNull(PATTERNS.get(name));
    }

    private static Map<String, Pattern> patterns() {
        String verb =
                "(?:is|are|was|were|has|have|had|would|could|can|must|may|does|do|needs?|gives?|takes?|costs?|makes?)";
        Map<String, Pattern> patterns = new LinkedHashMap<>();
        patterns.put("that of", Pattern.compile("\\b(?:that|those) of\\b|\\bof (?:which|whom)\\b"));
        patterns.put("so many", Pattern.compile("\\bso (?:many|much|few)\\b(?! that\\b)"));
        patterns.put("nobody", Pattern.compile("\\b(?:nobody|somebody|anybody|everybody)\\b"));
        patterns.put("behind", Pattern.compile("\\bbehind\\b"));
        patterns.put("beside", Pattern.compile("\\bbeside\\b"));
        patterns.put("whatever", Pattern.compile("\\bwhatever\\b"));
        patterns.put(
                "person",
                Pattern.compile(
                        "\\b(?:knows?|(?<!\\b(?:I|[Yy]ou|who) )wants?|believes?|likes|reckons?|cares?|says? so|asks nothing"
                                + "|(?:is|are) asked|obeys?)\\b"));
        patterns.put("stands", Pattern.compile("\\b(?:stands?|lies|lie)\\b(?! for\\b)"));
        patterns.put(
                "for as because",
                Pattern.compile(", for (?:it|they|there|this|that|these|those|every|each|no|nothing|what"
                        + "|such|an?|the|its|their|only)\\b[^.;]*?\\b" + verb + "\\b"));
        patterns.put("postponed quantity", Pattern.compile("\\bat (?:most|least)\\s*(?:[.:;)]|$)"));
        patterns.put("is no", Pattern.compile("(?<![Tt]here )\\b(?:is|are) (?:no|nothing|none)\\b(?! longer\\b)"));
        patterns.put("postponed subject", Pattern.compile("(?:^|[.:;] )Of \\w+"));
        patterns.put(
                "question",
                Pattern.compile("(?:^|\\{@return |@return |@param <?\\w+>? )"
                        + "(?:[Ww]hat|[Ww]here|[Ww]ho|[Hh]ow|Which|Why)\\b(?![^.]*\\?)"));
        patterns.put("element-wise", Pattern.compile("\\bnumber by number\\b"));
        patterns.put("exclusive end", Pattern.compile("\\b(?:past|behind) the last\\b"));
        patterns.put(
                "possessive", Pattern.compile("\\b(?:is|are) (?:the |a )?[a-zA-Z]+(?:'s|s')(?=[.,;:)]|$| and| or)"));
        return patterns;
    }
}
