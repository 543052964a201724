package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Checks that the words that docs/vocabulary.md replaces do not come back, and that no two classes have the same name. */
class VocabularyTest {
    private static final int MOST_EXCEPTIONS = 25;

    /** The files that are not searched because they list the replaced words: the page and this test. */
    private static final List<String> THESE =
            List.of("docs/vocabulary.md", "src/test/java/dev/heed/build/VocabularyTest.java");

    private static final String MAIN = "src/main/java/.*";
    private static final String JAVA = "src/.*\\.java";
    private static final String KERNELS = "src/main/resources/kernels/.*|native/.*\\.[ch]";
    private static final String BACKENDS = "src/main/java/dev/heed/(?:backend|lowering)/.*|" + KERNELS;
    private static final String TEXT = ".*(?<!CHANGELOG)\\.md|" + MAIN + "|" + KERNELS;

    /**
     * A word that has been replaced.
     *
     * @param word the word, as in the last column of a table on the page
     * @param pattern the forms of the word in code and prose
     * @param files the files that must not have it
     */
    private record Replaced(String word, Pattern pattern, Pattern files) {
        Replaced(String word, String pattern, String files) {
            this(word, Pattern.compile(pattern), Pattern.compile(files));
        }
    }

    private static final List<Replaced> WORDS = List.of(
            new Replaced("key head", "(?i)\\bkey heads?\\b", TEXT),
            new Replaced("meeting", "(?i)\\bmeet(?:s|ings?)?\\b|\\bmet\\b|Meeting\\b|\\bMEET", BACKENDS + "|docs/.*"),
            new Replaced("PairScore", "\\bPairScore\\b", JAVA + "|docs/.*"),
            new Replaced("seen", "\\b(?:un)?seen\\b|[a-z]Seen\\b|\\bseen[A-Z]\\w*", BACKENDS),
            new Replaced("hidden", "\\bhidden\\b|HIDDEN", BACKENDS),
            new Replaced("most", "\\bmost\\b(?= *[=,;<>)*-])", KERNELS),
            new Replaced("share", "\\bshare\\b(?= *[=,;<>)*-])", KERNELS),
            new Replaced("part", "\\b[pP]arts?\\b|InParts\\b|\\bPARTS?\\b", BACKENDS),
            new Replaced("shrink", "\\b[sS]hr(?:ink|unk)", BACKENDS + "|docs/kernels.md"),
            new Replaced("flow", "\\bflow(?:s|ed|Back)?\\b|flow_back|_flows\\b|\\bFLOW", BACKENDS),
            new Replaced("slope", "\\bslope\\(|(?:multiply|softcap|key|query|parameter)Slopes?\\b", JAVA),
            new Replaced("kept", "\\b[A-Z]?[a-z]*Kept\\b", MAIN),
            new Replaced("implicit", "heed[./]implicit\\b", JAVA + "|docs/.*"),
            new Replaced("number by number", "\\bnumber by number\\b", TEXT),
            new Replaced(
                    "wide",
                    "\\bWide[A-Z]\\w*|\\bwide[A-Z]\\w*|\\b(?:boolean|double\\[]) wide\\b|\\bWIDE\\b",
                    JAVA + "|" + KERNELS),
            new Replaced("strange", "(?i)strange(?!r)", TEXT),
            new Replaced("at", "\\b[abckqsw](?:At|_at)\\b|\\b(?:bt|ct)\\b", BACKENDS),
            new Replaced("row", "\\b[abckqsw](?:Row|_row)\\b", BACKENDS),
            new Replaced("step", "\\b[ab](?:Step|_step)\\b", BACKENDS),
            new Replaced("turn", "\\bturn(?:Block|Rows|Wide|ed)\\b|\\bturns? \\w+ into|_turn\\b|TURNED", BACKENDS),
            new Replaced("staircase", "(?i)staircase", TEXT),
            new Replaced("between", "\\bBetween\\b(?! (?:the|two))", MAIN),
            new Replaced("placed", "\\b[A-Z]?[a-z]*Placed\\b|\\bplaced\\(", "src/main/java/dev/heed/backend/.*"),
            new Replaced("work", "\\bWork\\b(?!-)", "src/main/java/dev/heed/backend/.*"),
            new Replaced("twin", "(?i)\\btwins?\\b", TEXT),
            new Replaced("first task", "(?i)\\bfirst tasks?\\b", TEXT),
            new Replaced("canary", "(?i)(?<!opencl[._])canar(?:y|ies)", TEXT),
            new Replaced("looks", "\\bLooks\\b|\\bGaze\\b", MAIN),
            new Replaced("reading", "\\bclass Reading\\b|\\brecord Reading\\b", MAIN),
            new Replaced("own process", "\\bOwnProcess\\b", JAVA),
            new Replaced("surroundings", "\\bSurroundings\\b", JAVA));

    /** A line that may have a replaced word, given by a substring of its file's path and a substring of the line. */
    private record Allowed(String word, String file, String line, String reason) {}

    private static final String TO_BE_DELETED = "the class is to be replaced by score ops";

    private static final List<Allowed> EXCEPTIONS = List.of(
            new Allowed("wide", "f64/", "WideMeeting", TO_BE_DELETED),
            new Allowed("meeting", "dev/heed/backend/vector/", "eeting", TO_BE_DELETED),
            new Allowed("meeting", "docs/kernels.md", "`Meeting`", TO_BE_DELETED));

    @Test
    void noReplacedWordComesBack() {
        List<String> found = new ArrayList<>();
        var used = new TreeSet<Integer>();
        for (Path file : Prose.files()) {
            String path = file.toString();
            String[] lines =
                    THESE.contains(path) ? new String[0] : Prose.read(file).split("\n", -1);
            for (Replaced word : WORDS) {
                if (!word.files().matcher(path).matches()) {
                    continue;
                }
                for (int i = 0; i < lines.length; i++) {
                    Matcher match = word.pattern().matcher(lines[i]);
                    if (match.find()) {
                        int exception = exception(word.word(), path, lines[i]);
                        if (exception < 0) {
                            found.add(path + ":" + (i + 1) + " [" + word.word() + "] " + lines[i].strip());
                        } else {
                            used.add(exception);
                        }
                    }
                }
            }
        }
        assertEquals("", String.join("\n", found), "docs/vocabulary.md has the word to use");
        for (int i = 0; i < EXCEPTIONS.size(); i++) {
            assertTrue(used.contains(i), EXCEPTIONS.get(i) + " is not needed any more");
        }
        assertTrue(EXCEPTIONS.size() <= MOST_EXCEPTIONS, EXCEPTIONS.size() + " exceptions");
    }

    @Test
    void thePageAndTheTestHaveTheSameWords() {
        var words = new TreeSet<String>();
        for (String line : Prose.read(Path.of("docs/vocabulary.md")).split("\n", -1)) {
            String[] cells = line.split("\\|", -1);
            String last = cells.length < 5 ? "" : cells[cells.length - 2].strip();
            if (!last.isEmpty() && !last.equals("not") && !last.startsWith("---")) {
                words.addAll(List.of(last.split(", ", -1)));
            }
        }
        words.remove("width of a head"); // prose: no pattern tells it from the width of a vector
        var tested = new TreeSet<String>();
        WORDS.forEach(word -> tested.add(word.word()));
        assertEquals(words, tested);
    }

    @Test
    void aClassNameMeansOneThing() {
        var places = new TreeMap<String, List<Path>>();
        for (Path file : Prose.files()) {
            if (file.startsWith("src/main/java") && !file.endsWith("package-info.java")) {
                places.computeIfAbsent(file.getFileName().toString(), name -> new ArrayList<>())
                        .add(file);
            }
        }
        places.values().removeIf(files -> files.size() == 1);
        assertEquals("{}", places.toString());
    }

    private static int exception(String word, String path, String line) {
        for (int i = 0; i < EXCEPTIONS.size(); i++) {
            Allowed allowed = EXCEPTIONS.get(i);
            if (word.equals(allowed.word()) && path.contains(allowed.file()) && line.contains(allowed.line())) {
                return i;
            }
        }
        return -1;
    }
}
