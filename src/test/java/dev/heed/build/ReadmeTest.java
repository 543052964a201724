package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.Attention;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks of the README and of links. Each command that the README shows with an output is run and must print this output. The
 * length and the index of the README and the links of all pages are checked too.
 *
 * <p>A block with lines that begin with {@code "$ "} has commands, each followed by its output. The last Java block before it is
 * the program of {@code ./heed java}. Outputs are compared line by line, with three exceptions:
 *
 * <ul>
 *   <li>A line {@code ...} replaces any number of lines.
 *   <li>Times and rates, the numbers before {@code ms} and {@code GFLOP/s}, are not compared: they depend on the machine.
 *   <li>Rounding errors such as {@code 8.60e-07} are compared by their power of ten: the digits depend on the vector width.
 * </ul>
 *
 * <p>The commands are run by the real launcher, in a new folder that looks like a built checkout and uses the classes of this
 * build, so that the launcher does not start Maven.
 */
class ReadmeTest {
    private static final Path README = Path.of("README.md");
    private static final String INDEX = "\n## Find your page\n";
    private static final int MOST_WORDS = 2200;
    private static final int LONGEST_LINE = 200;

    private static final String FENCE = "```";
    private static final String PROMPT = "$ ";
    private static final String ELISION = "...";
    private static final Pattern MEASURED =
            Pattern.compile("\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?(?= (?:ms|GFLOP/s)\\b)|\\d\\.\\d\\d(?=e-\\d\\d\\b)");

    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");

    @TempDir
    Path dir;

    /**
     * A command of the README.
     *
     * @param line the line number of the command
     * @param text the command without the prompt
     * @param output the lines from the command to the next command or the end of the block
     * @param program the last Java block before the command, or an empty text
     */
    private record Command(int line, String text, List<String> output, String program) {}

    @TestFactory
    @Tag("slow")
    Stream<DynamicTest> everyCommandPrintsWhatTheReadmeShows() throws Exception {
        assumeTrue(!System.getProperty("os.name").startsWith("Windows"), "the launcher is a shell script");
        List<Command> commands = commands(Files.readAllLines(README));
        assertTrue(commands.size() >= 3, commands::toString);
        Path checkout = checkout();
        return commands.stream().map(command -> dynamicTest(command.text(), () -> check(command, checkout)));
    }

    private static void check(Command command, Path checkout) throws Exception {
        List<String> words = List.of(command.text().split(" ", -1));
        assertEquals("./heed", words.getFirst(), "line " + command.line() + ": a command must start with ./heed");
        assumeTrue(
                !words.get(1).equals("explain") || Attention.class.getResource("/all-minilm-l6-v2.onnx") != null,
                "the MiniLM model is not on the class path; Maven downloads it");
        if (words.get(1).equals("java")) {
            Files.writeString(checkout.resolve(words.get(2)), command.program());
        }

        List<String> actual = run(checkout, command.text());

        difference(command.output(), actual).ifPresent(difference -> {
            throw new AssertionError("README.md, line " + command.line() + ": " + command.text() + "\n" + difference
                    + "\nall of the output:\n" + String.join("\n", actual));
        });
        int out = words.indexOf("--out");
        if (out >= 0) {
            String picture = words.get(out + 1);
            assertEquals(
                    Files.readString(Path.of("docs/images", picture)),
                    Files.readString(checkout.resolve(picture)),
                    "docs/images/" + picture + " must be the picture that the command draws");
        }
    }

    private static List<Command> commands(List<String> page) {
        List<Command> commands = new ArrayList<>();
        String program = "";
        for (int i = 0; i < page.size(); i++) {
            if (!page.get(i).startsWith(FENCE)) {
                continue;
            }
            String language = page.get(i).substring(FENCE.length());
            int end = i + 1;
            while (!page.get(end).equals(FENCE)) {
                end++;
            }
            List<String> block = page.subList(i + 1, end);
            if (language.equals("java")) {
                program = String.join("\n", block);
            }
            for (int j = 0; j < block.size(); j++) {
                if (language.isEmpty() && block.get(j).startsWith(PROMPT)) {
                    List<String> output = block.subList(j + 1, block.size()).stream()
                            .takeWhile(line -> !line.startsWith(PROMPT))
                            .toList();
                    commands.add(new Command(i + j + 2, block.get(j).substring(PROMPT.length()), output, program));
                }
            }
            i = end;
        }
        return commands;
    }

    /** {@return the first line that differs; empty if the outputs are equal} */
    private static Optional<String> difference(List<String> expected, List<String> actual) {
        int at = 0;
        boolean elided = false;
        for (String line : expected) {
            if (line.equals(ELISION)) {
                elided = true;
                continue;
            }
            int found = at;
            while (elided && found < actual.size() && !sameShape(line, actual.get(found))) {
                found++;
            }
            if (found == actual.size() || !sameShape(line, actual.get(found))) {
                return Optional.of("  expected  " + line + "\n  got       "
                        + (elided ? "no such line" : found < actual.size() ? actual.get(found) : "the end"));
            }
            at = found + 1;
            elided = false;
        }
        return elided || at == actual.size()
                ? Optional.empty()
                : Optional.of("  expected  the end\n  got       " + actual.get(at));
    }

    private static boolean sameShape(String expected, String actual) {
        return shape(expected).equals(shape(actual));
    }

    private static String shape(String line) {
        return MEASURED.matcher(line.stripTrailing()).replaceAll("#");
    }

    @Test
    void onlyMeasuredNumbersAndElidedLinesMayDiffer() {
        assertSame("[0.22, 0.6]", "[0.22, 0.6]");
        assertSame("time     best 1.9 ms, median 4.5 ms of 50", "time     best 12 ms, median 1e+03 ms of 50");
        assertSame("speed    276 GFLOP/s", "speed    1.23e+03 GFLOP/s");
        assertSame("output   8.60e-07  pass", "output   8.61e-07  pass");
        assertSame("a\n...\nd", "a\nb\nc\nd");
        assertSame("a\n...", "a\nb");
        assertDiffer("[0.22, 0.6]", "[0.22, 0.7]");
        assertDiffer("time     best 1.9 ms, median 4.5 ms of 50", "time     best 1.9 ms, median 4.5 ms of 5");
        assertDiffer("speed    276 GFLOP/s", "speed    276 GB/s");
        assertDiffer("output   8.60e-07  pass", "output   8.60e-06  pass");
        assertDiffer("output   8.60e-07  pass", "output   8.60e-07  FAIL");
        assertDiffer("f32 [1, 2]", "f32 [1, 3]");
        assertDiffer("a\n...\nd", "a\nb\nc");
        assertDiffer("a\n...\nd", "b\nd");
        assertDiffer("a\n...\nd", "a\nd\ne");
        assertDiffer("a", "a\nb");
        assertDiffer("a\nb", "a");
    }

    private static void assertSame(String expected, String actual) {
        assertEquals(
                Optional.empty(),
                difference(expected.lines().toList(), actual.lines().toList()));
    }

    private static void assertDiffer(String expected, String actual) {
        assertTrue(
                difference(expected.lines().toList(), actual.lines().toList()).isPresent(),
                () -> expected + " and " + actual);
    }

    // ---------------------------------------------------------------- the launcher

    /**
     * {@return a folder with the launcher and a class path to the classes of this build} Next to the folder is a fake JDK 17,
     * which {@link #run} puts first on the {@code PATH}.
     */
    private Path checkout() throws Exception {
        Path checkout = Files.createDirectories(dir.resolve("heed"));
        Path target = Files.createDirectories(checkout.resolve("target"));
        String launch = "src/main/resources/bundle/launch.sh";
        Files.createDirectories(checkout.resolve(launch).getParent());
        Files.copy(Path.of("heed"), checkout.resolve("heed"));
        Files.copy(Path.of(launch), checkout.resolve(launch));
        assertTrue(checkout.resolve("heed").toFile().setExecutable(true));
        Path classes = classes();
        String main = "dev/heed/cli/Main.class"; // the launcher looks for this class; the other classes are not copied
        Files.createDirectories(target.resolve("classes").resolve(main).getParent());
        Files.copy(classes.resolve(main), target.resolve("classes").resolve(main));
        String jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.endsWith(".jar"))
                .collect(Collectors.joining(File.pathSeparator));
        Files.writeString(target.resolve("heed-classpath"), classes + File.pathSeparator + jars + "\n");
        Files.writeString(target.resolve("heed-built"), ""); // written last, so the launcher does not build

        Files.createDirectory(dir.resolve("home"));
        Files.createDirectory(dir.resolve("no-opencl"));
        Path old = Files.createDirectories(dir.resolve("jdk-17/bin"));
        Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"17.0.15\"\n");
        for (String tool : List.of("java", "javac")) {
            Files.writeString(old.resolve(tool), "#!/bin/sh\necho \"this is JDK 17\"\nexit 1\n");
            assertTrue(old.resolve(tool).toFile().setExecutable(true));
        }
        return checkout;
    }

    private static Path classes() throws URISyntaxException {
        return Path.of(Attention.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    /** {@return the output of a command that finds no OpenCL driver, in the C locale, with an empty folder as HOME} */
    private static List<String> run(Path checkout, String command) throws Exception {
        Path dir = checkout.getParent();
        var builder = new ProcessBuilder("/bin/sh", "-c", command)
                .directory(checkout.toFile())
                .redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", dir.resolve("jdk-17/bin") + ":/usr/bin:/bin");
        environment.put("JAVA25_HOME", System.getProperty("java.home"));
        environment.put("HOME", dir.resolve("home").toString());
        environment.put("OCL_ICD_VENDORS", dir.resolve("no-opencl").toString());
        environment.put("LC_ALL", "C");
        Process process = builder.start();
        process.getOutputStream().close();
        List<String> said =
                new String(process.getInputStream().readAllBytes()).lines().toList();
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), () -> command + " did not end");
        assertEquals(0, process.exitValue(), () -> command + "\n" + String.join("\n", said));
        return said;
    }

    // ---------------------------------------------------------------- the pages

    @Test
    void theReadmeIsShort() throws IOException {
        String page = Files.readString(README);
        int words = page.strip().split("\\s+", -1).length;
        assertTrue(words < MOST_WORDS, words + " words");
        List<String> lines = Prose.withoutCode(page).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            assertTrue(
                    line.startsWith("|") || line.length() <= LONGEST_LINE,
                    "line " + (i + 1) + " has " + line.length() + " characters");
        }
    }

    @Test
    void theIndexAnswersEveryQuestionAndNamesEveryPage() throws IOException {
        String page = Files.readString(README);
        String index = page.substring(page.indexOf(INDEX) + INDEX.length());
        Set<Path> linked = new TreeSet<>();
        for (String line : index.strip().lines().skip(2).toList()) {
            assertTrue(line.startsWith("| ") && LINK.matcher(line).find(), line);
            LINK.matcher(line).results().forEach(link -> linked.add(target(README, link.group(1))));
        }
        Set<Path> missing = new TreeSet<>();
        try (Stream<Path> files = Files.list(Path.of("docs"))) {
            files.filter(file -> file.toString().endsWith(".md")).forEach(missing::add);
        }
        for (String other : List.of(
                "docs/adr",
                "docs/course/README.md",
                "native/README.md",
                "CONTRIBUTING.md",
                "CHANGELOG.md",
                "LICENSE")) {
            missing.add(Path.of(other));
        }
        missing.removeAll(linked);
        assertEquals(Set.of(), missing);
    }

    @Test
    void theDependencyHasTheVersionOfThePom() throws IOException {
        Pattern version = Pattern.compile("<artifactId>heed</artifactId>\\s*<version>(.*)</version>");
        Matcher readme = version.matcher(Files.readString(README));
        Matcher pom = version.matcher(Files.readString(Path.of("pom.xml")));
        assertTrue(readme.find() && pom.find());
        assertEquals(pom.group(1), readme.group(1));
    }

    @Test
    void everyLinkLeadsToAFileAndAHeading() throws IOException {
        Set<String> broken = new LinkedHashSet<>();
        int links = 0;
        for (Path page : pages()) {
            Matcher link =
                    LINK.matcher(Prose.withoutCode(Files.readString(page)).replaceAll("`[^`\n]*`", ""));
            while (link.find()) {
                String address = link.group(1);
                if (address.matches("[a-z]+:.*")) {
                    continue;
                }
                links++;
                Path target = target(page, address);
                int anchor = address.indexOf('#');
                if (!Files.exists(target) || anchor >= 0 && !anchors(target).contains(address.substring(anchor + 1))) {
                    broken.add(page + ": " + address);
                }
            }
        }
        assertEquals(Set.of(), broken);
        assertTrue(links > 200, links + " links");
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(
                List.of(README, Path.of("CONTRIBUTING.md"), Path.of("CHANGELOG.md"), Path.of("native/README.md")));
        try (Stream<Path> files = Files.walk(Path.of("docs"))) {
            files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        return pages;
    }

    private static Path target(Path page, String address) {
        String file = address.replaceFirst("#.*", "");
        return file.isEmpty() ? page : page.resolveSibling(file).normalize();
    }

    /** {@return the anchors of a page's headings, as GitHub makes them} */
    private static Set<String> anchors(Path page) throws IOException {
        Set<String> anchors = new TreeSet<>();
        Map<String, Integer> seen = new HashMap<>();
        for (String line : Prose.withoutCode(Files.readString(page)).lines().toList()) {
            if (line.matches("#{1,6} .*")) {
                String anchor = line.replaceFirst("#+ ", "")
                        .replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1")
                        .strip()
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{M}\\p{N} _-]", "")
                        .replace(' ', '-');
                int before = seen.merge(anchor, 1, Integer::sum) - 1;
                anchors.add(before == 0 ? anchor : anchor + "-" + before);
            }
        }
        return anchors;
    }
}
