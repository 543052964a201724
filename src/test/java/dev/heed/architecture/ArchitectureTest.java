package dev.heed.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaFieldAccess;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rules that a compiler does not know: who may import whom, what may be touched where, and what names mean. */
class ArchitectureTest {
    private static final String ROOT = "dev.heed";
    private static final Path SOURCES = Path.of("src/main/java");

    /** What each package may import of ours: {@code .} is the root, {@code *} anything. A new package needs a line. */
    private static final Map<String, String> MAY_IMPORT = new TreeMap<>(Map.ofEntries(
            Map.entry("tensor", ""),
            Map.entry("random", ""),
            Map.entry("machine", ""),
            Map.entry("mask", "tensor"),
            Map.entry("score", "tensor"),
            Map.entry("softmax", "tensor"),
            Map.entry(".", "tensor mask score softmax"),
            Map.entry("ffi", "machine"),
            Map.entry("opencl", "machine ffi"),
            Map.entry("probe", "opencl"),
            Map.entry("lowering", ". tensor mask score"),
            Map.entry("tuning", ". tensor machine"),
            Map.entry("backend.reference", ". tensor mask random score"),
            Map.entry("backend.vector", ". tensor mask score softmax random machine tuning lowering ffi"),
            Map.entry("backend.opencl", ". tensor mask score softmax random machine tuning opencl ffi"),
            Map.entry("layer", ". tensor mask score softmax random mechanism"),
            Map.entry("training", ". tensor layer"),
            Map.entry("demo", ". tensor score layer training storage"),
            Map.entry("pooling", ". tensor mask score softmax random"),
            Map.entry("mechanism", ". tensor mask score random"),
            Map.entry("implicit", ". tensor"),
            Map.entry("kv", ". tensor mask softmax"),
            Map.entry("verify", ". tensor mask score random backend.reference"),
            Map.entry("onnx", "tensor"),
            Map.entry("storage", "tensor"),
            Map.entry("bert", ". tensor mask score softmax onnx layer"),
            Map.entry("conformance", ". tensor mask score softmax random layer pooling onnx verify"),
            Map.entry("view", ". tensor mask score softmax"),
            Map.entry("course", "tensor"),
            Map.entry("cli", "*")));

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    /** The packages that have a class, by their name within ours. */
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
        var unknown = new TreeSet<>(PACKAGES);
        unknown.removeAll(MAY_IMPORT.keySet());
        assertEquals(Set.of(), unknown, "add what they may import to MAY_IMPORT");
    }

    @TestFactory
    Stream<DynamicTest> packagesImportOnlyWhatTheTableAllows() {
        return PACKAGES.stream()
                .filter(name -> !"*".equals(MAY_IMPORT.get(name)))
                .map(name -> dynamicTest(name, () -> importsOf(name).check(CLASSES)));
    }

    private static ArchRule importsOf(String name) {
        List<String> allowed = new ArrayList<>(List.of(whole(name)));
        Arrays.stream(MAY_IMPORT.getOrDefault(name, "").split(" "))
                .filter(other -> !other.isEmpty())
                .map(ArchitectureTest::whole)
                .forEach(allowed::add);
        DescribedPredicate<JavaClass> elsewhere = resideInAPackage(ROOT + "..")
                .and(resideOutsideOfPackages(allowed.toArray(String[]::new)))
                .as("our classes outside of " + allowed);
        return noClasses().that().resideInAPackage(whole(name)).should().dependOnClassesThat(elsewhere);
    }

    @Test
    void packagesFormNoCycles() {
        slices().matching("dev.(**)").should().beFreeOfCycles().check(CLASSES); // the root package is a slice too
    }

    @Test
    void joclIsTouchedInOnePackage() {
        onlyIn("org.jocl..", ROOT + ".opencl");
    }

    @Test
    void theVectorApiIsTouchedInTwoPackages() {
        onlyIn("jdk.incubator.vector..", ROOT + ".backend.vector", ROOT + ".machine");
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
                        ROOT + ".cli..", ROOT + ".bert") // bert keeps a library offline, and puts it back
                .and()
                .doNotHaveFullyQualifiedName(ROOT + ".opencl.JoclLibrary") // where JOCL unpacks; puts it back too
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(System.class, "setProperty", String.class, String.class)
                .check(CLASSES);
    }

    @Test
    void aBackendPackageOpensItsBackendsOnly() {
        for (String name : PACKAGES) {
            if (name.startsWith("backend.")) {
                List<String> open = CLASSES.stream()
                        .filter(type -> type.getPackageName().equals(whole(name)) && type.isTopLevelClass())
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                        .filter(type -> !type.isAssignableTo(ROOT + ".AttentionBackend"))
                        .map(JavaClass::getSimpleName)
                        .toList();
                assertEquals(List.of(), open, name);
            }
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
                    assertTrue(text.contains("* <p>May import: "), "no line May import:");
                    assertTrue(text.contains("@NullMarked"), "not @NullMarked");
                }));
    }

    /** A drawer by any name fills up. */
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
}
