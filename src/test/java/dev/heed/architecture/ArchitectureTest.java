package dev.heed.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaFieldAccess;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Rules that a compiler does not check: imports between packages, restricted calls, and naming. */
class ArchitectureTest {
    private static final String ROOT = "dev.heed";
    private static final Path SOURCES = Path.of("src/main/java");

    /**
     * The packages of Heed that each package may import: {@code .} is the root, {@code *} is any package. A new package needs
     * an entry, a new import needs a word in the entry of its package, and an unused word must be removed.
     * docs/architecture.md has the same table for readers.
     */
    private static final Map<String, String> IMPORTS = new TreeMap<>(Map.ofEntries(
            Map.entry("tensor", ""),
            Map.entry("random", ""),
            Map.entry("machine", ""),
            Map.entry("tuning", ""),
            Map.entry("ffi", "settings"),
            Map.entry("mask", "tensor"),
            Map.entry("score", "tensor"),
            Map.entry("onnx", "tensor"),
            Map.entry("storage", "tensor"),
            Map.entry("course", "tensor"),
            Map.entry("view.text", ""),
            Map.entry("view.page", "tensor view.text"),
            Map.entry("view", "tensor view.text view.page"),
            Map.entry("opencl.calls", "ffi"),
            Map.entry("opencl", "settings ffi opencl.calls"),
            Map.entry("probe", "opencl"),
            Map.entry(".", "tensor mask score settings"),
            Map.entry("lowering", ". tensor score"),
            Map.entry("backend.reference", ". tensor mask score random"),
            Map.entry("backend.vector.kernels", ". tensor machine tuning settings"),
            Map.entry("backend.vector.storage", ". tensor mask ffi backend.vector.kernels"),
            Map.entry("backend.vector.f64", ". tensor mask score random backend.vector.kernels backend.vector.storage"),
            Map.entry(
                    "backend.vector",
                    ". tensor mask score random machine settings lowering ffi backend.vector.kernels backend.vector.storage backend.vector.f64"),
            Map.entry("backend.opencl.device", ". tensor score tuning settings opencl opencl.calls"),
            Map.entry("backend.opencl.product", ". tensor opencl backend.opencl.device"),
            Map.entry("backend.opencl.score", ". tensor score backend.opencl.device backend.opencl.product"),
            Map.entry(
                    "backend.opencl.kernels",
                    ". tensor mask score opencl backend.opencl.device backend.opencl.product backend.opencl.score"),
            Map.entry(
                    "backend.opencl.plan",
                    ". tensor score opencl backend.opencl.device backend.opencl.product backend.opencl.score backend.opencl.kernels"),
            Map.entry(
                    "backend.opencl.check",
                    ". tensor mask score opencl.calls backend.opencl.device backend.opencl.product backend.opencl.kernels backend.opencl.plan"),
            Map.entry(
                    "backend.opencl",
                    ". tensor score settings opencl opencl.calls backend.opencl.device backend.opencl.plan backend.opencl.check"),
            Map.entry("attribution", ". tensor"),
            Map.entry("pooling", ". tensor mask score"),
            Map.entry("mechanism", ". tensor mask score random"),
            Map.entry("verify", ". tensor mask score random backend.reference"),
            Map.entry("layer", ". tensor mask score mechanism"),
            Map.entry("training", ". tensor layer"),
            Map.entry("bert", ". tensor onnx layer"),
            Map.entry("conformance", ". tensor mask score layer onnx"),
            Map.entry("demo", ". tensor score layer training storage"),
            Map.entry("cli.console", ". tensor settings view view.text"),
            Map.entry("cli.bench", "*"),
            Map.entry("cli.explain", "*"),
            Map.entry("cli", "*"),
            Map.entry("settings", "tensor tuning")));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    /** The packages with a class, named relative to {@code dev.heed}. */
    private static final Set<String> PACKAGES =
            CLASSES.stream().map(type -> inside(type.getPackageName())).collect(Collectors.toCollection(TreeSet::new));

    private static String inside(String packageName) {
        return packageName.equals(ROOT) ? "." : packageName.substring(ROOT.length() + 1);
    }

    private static String whole(String name) {
        return name.equals(".") ? ROOT : ROOT + "." + name;
    }

    @Test
    void theImportIsNotEmpty() {
        assertTrue(CLASSES.size() >= 60, CLASSES.size() + " classes");
        assertTrue(PACKAGES.contains(".") && PACKAGES.contains("tensor"), PACKAGES::toString);
    }

    @Test
    void everyPackageHasALineInTheTable() {
        assertEquals(PACKAGES, IMPORTS.keySet());
    }

    @TestFactory
    Stream<DynamicTest> packagesImportWhatTheTableSays() {
        return PACKAGES.stream()
                .filter(name -> !"*".equals(IMPORTS.get(name)))
                .map(name ->
                        dynamicTest(name, () -> assertEquals(words(IMPORTS.getOrDefault(name, "")), imported(name))));
    }

    private static Set<String> words(String text) {
        return Arrays.stream(text.split(" "))
                .filter(word -> !word.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** {@return the packages of Heed that the classes of one package reference in their bytecode} */
    private static Set<String> imported(String name) {
        return CLASSES.stream()
                .filter(type -> type.getPackageName().equals(whole(name)))
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .map(dependency ->
                        dependency.getTargetClass().getBaseComponentType().getPackageName())
                .filter(other -> (other + ".").startsWith(ROOT + ".") && !other.equals(whole(name)))
                .map(ArchitectureTest::inside)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** A row of the table on the page has packages in backquotes and their allowed imports, or "nothing of Heed". */
    @Test
    void theDocumentHasTheSameTable() throws IOException {
        String page = Files.readString(Path.of("docs/architecture.md"));
        Map<String, Set<String>> rows = new TreeMap<>();
        Pattern row = Pattern.compile("^\\| ([^|]*) \\| ([^|]*) \\|$", Pattern.MULTILINE);
        page.substring(page.indexOf("| package | may import |"))
                .lines()
                .takeWhile(line -> line.startsWith("|"))
                .skip(2)
                .map(row::matcher)
                .filter(Matcher::matches)
                .forEach(cells -> names(cells.group(1)).forEach(name -> rows.put(name, names(cells.group(2)))));
        Map<String, Set<String>> expected = new TreeMap<>();
        IMPORTS.forEach((name, imports) -> expected.put(name, imports.equals("*") ? Set.of() : words(imports)));
        assertEquals(expected, rows);
    }

    private static Set<String> names(String cell) {
        return Pattern.compile("`([a-z0-9.]+)`|\\broot\\b")
                .matcher(cell)
                .results()
                .map(word -> word.group(1) == null ? "." : word.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void packagesFormNoCycles() {
        slices().matching("dev.(**)").should().beFreeOfCycles().check(CLASSES); // the root package is a slice too
    }

    @Test
    void joclIsTouchedInOnePackage() {
        onlyIn("org.jocl..", ROOT + ".opencl.calls");
    }

    @Test
    void theVectorApiIsTouchedInTheKernels() {
        onlyIn(
                "jdk.incubator.vector..",
                ROOT + ".backend.vector.kernels",
                ROOT + ".backend.vector.f64",
                ROOT + ".machine");
    }

    /** On JDK 27, other ways to reinterpret the bits of a vector compile to method calls, which take 24 cycles each. */
    @Test
    void bitsOfVectorsAreReadByReinterpretShape() {
        DescribedPredicate<JavaMethodCall> slow = DescribedPredicate.describe(
                "reinterpretAs... or viewAs...",
                call -> call.getTargetOwner().getPackageName().startsWith("jdk.incubator.vector")
                        && call.getName().matches("(reinterpretAs|viewAs).*"));
        noClasses().should().callMethodWhere(slow).check(CLASSES);
    }

    @Test
    void theFlightRecorderIsTouchedInOneClass() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(ROOT + ".DispatchEvent")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.jfr..")
                .check(CLASSES);
    }

    @Test
    void theManagementOfTheJvmIsTouchedInOneClass() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(ROOT + ".machine.FmaFlag")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.lang.management..", "com.sun.management..")
                .check(CLASSES);
    }

    private static void onlyIn(String dependency, String... packages) {
        noClasses()
                .that()
                .resideOutsideOfPackages(packages)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(dependency)
                .check(CLASSES);
    }

    @Test
    void theLinkerIsTouchedInOnePackage() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".ffi")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .check(CLASSES);
    }

    @Test
    void onlyTheCommandLinePrints() {
        DescribedPredicate<JavaFieldAccess> printing = DescribedPredicate.describe(
                "System.out or System.err",
                access -> access.getTargetOwner().isEquivalentTo(System.class)
                        && Set.of("out", "err").contains(access.getTarget().getName()));
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".cli..")
                .should()
                .accessFieldWhere(printing)
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .check(CLASSES);
    }

    @Test
    void theProcessIsLeftAsItWas() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        ROOT + ".cli..", ROOT + ".bert") // bert sets a property of a library and restores it
                .and()
                .doNotHaveFullyQualifiedName(
                        ROOT + ".opencl.calls.JoclLibrary") // sets JOCL's unpacking folder and restores it
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(System.class, "setProperty", String.class, String.class)
                .check(CLASSES);
    }

    /** {@return the packages that module-info exports, named relative to {@code dev.heed}} */
    private static Set<String> exported() throws IOException {
        return Pattern.compile("^ +exports ([a-z0-9.]+);", Pattern.MULTILINE)
                .matcher(Files.readString(SOURCES.resolve("module-info.java")))
                .results()
                .map(line -> inside(line.group(1)))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void anExportedBackendPackageOpensItsBackendsAndTheirOptionsOnly() throws IOException {
        for (String name : exported()) {
            if (name.startsWith("backend.")) {
                List<String> open = CLASSES.stream()
                        .filter(type -> type.getPackageName().equals(whole(name)) && type.isTopLevelClass())
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                        .filter(type -> !type.isAssignableTo(ROOT + ".AttentionBackend"))
                        .map(JavaClass::getSimpleName)
                        .filter(type -> !type.endsWith("Options"))
                        .toList();
                assertEquals(List.of(), open, name);
            }
        }
    }

    @Test
    void whatLiesBelowABackendPackageIsNotExported() throws IOException {
        assertEquals(
                Set.of("backend.opencl", "backend.reference", "backend.vector"),
                exported().stream().filter(name -> name.startsWith("backend.")).collect(Collectors.toSet()));
    }

    /** A folder has at most 35 files, the root package at most 45; a folder of a backend has 4 or more. */
    @Test
    void noFolderIsCrowdedAndNoBackendFolderIsBare() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES.resolve("dev/heed"))) {
            Map<String, Long> counts = files.filter(file -> file.toString().endsWith(".java"))
                    .collect(Collectors.groupingBy(
                            file -> inside(SOURCES.relativize(file.getParent())
                                    .toString()
                                    .replace('/', '.')),
                            TreeMap::new,
                            Collectors.counting()));
            counts.forEach((name, count) -> {
                long most = name.equals(".") ? 45 : 35;
                long fewest = name.startsWith("backend.") ? 4 : 1;
                assertTrue(count >= fewest && count <= most, () -> name + " has " + count + " files");
            });
        }
    }

    @Test
    void everyPackageIsNullMarked() {
        for (String name : PACKAGES) {
            JavaPackage found = CLASSES.getPackage(whole(name));
            assertTrue(found.isAnnotatedWith(NullMarked.class), whole(name));
        }
    }

    @TestFactory
    Stream<DynamicTest> everyPackageSaysWhatItIs() {
        return PACKAGES.stream()
                .map(name -> dynamicTest(name, () -> {
                    String text = Files.readString(
                            SOURCES.resolve(whole(name).replace('.', '/')).resolve("package-info.java"));
                    assertTrue(text.contains("* <p>Stability: "), "no line Stability:");
                    assertTrue(text.contains("@NullMarked"), "not @NullMarked");
                }));
    }

    /** Rejects catch-all names for types and packages. */
    @Test
    void nothingIsNamedAfterADrawer() {
        Set<String> drawers =
                Set.of("util", "utils", "common", "impl", "internal", "helper", "helpers", "manager", "misc");
        for (String name : PACKAGES) {
            for (String part : name.split("\\.")) {
                assertTrue(!drawers.contains(part), () -> "package " + name);
            }
        }
        noClasses()
                .should()
                .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager|Impl)")
                .check(CLASSES);
    }

    @Test
    void everySourceFileBelongsToAPackageOfTheTable() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES.resolve("dev/heed"))) {
            Set<String> folders = files.filter(file -> file.toString().endsWith(".java"))
                    .map(file -> SOURCES.relativize(file.getParent()).toString().replace('/', '.'))
                    .map(ArchitectureTest::inside)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(PACKAGES, folders);
        }
    }

    /** {@code mvn test -Pquick} skips tests tagged slow, but must not skip a whole package. */
    @Test
    void everyPackageWithTestsHasAQuickOne() throws IOException {
        Path tests = Path.of("src/test/java");
        Set<String> all = new TreeSet<>();
        Set<String> quick = new TreeSet<>();
        try (Stream<Path> files = Files.walk(tests)) {
            for (Path file : files.filter(name -> name.toString().matches(".*(Test|Properties)\\.java"))
                    .toList()) {
                String text = Files.readString(file);
                String folder = tests.relativize(file.getParent()).toString();
                if (!text.contains("abstract class ")) {
                    all.add(folder);
                    if (!text.contains("@Tag(\"slow\")")) {
                        quick.add(folder);
                    }
                }
            }
        }
        assertTrue(all.size() > 20, all::toString);
        assertEquals(all, quick);
    }
}
