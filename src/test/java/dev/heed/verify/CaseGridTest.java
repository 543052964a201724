package dev.heed.verify;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionProblem;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Tests that every case of the grid has a unique case string that parses back, and that the naive implementation passes
 * the cases of the quick grid that are not f64.
 */
@Tag("slow")
class CaseGridTest {
    private static Stream<Case> cases(Map<String, List<Case>> groups) {
        return groups.values().stream().flatMap(List::stream);
    }

    @Test
    void everyCasePrintsAndParses() {
        cases(CaseGrid.full()).forEach(c -> assertEquals(c, Case.parse(c.toString())));
    }

    @Test
    void noCaseStandsTwice() {
        Set<String> seen = new HashSet<>();
        cases(CaseGrid.full()).forEach(c -> assertTrue(seen.add(c.toString()), c::toString));
    }

    @Test
    void theDocumentCountsThem() throws IOException {
        String counts = "There are " + cases(CaseGrid.full()).count() + " cases, "
                + cases(CaseGrid.quick()).count() + " of them in the quick grid";
        assertTrue(Files.readString(Path.of("docs/testing.md")).contains(counts), counts);
    }

    @Test
    void theQuickGridIsPartOfTheFullOne() {
        Set<String> full = new HashSet<>();
        cases(CaseGrid.full()).forEach(c -> full.add(c.toString()));
        cases(CaseGrid.quick()).forEach(c -> assertTrue(full.contains(c.toString()), c::toString));
        assertEquals(CaseGrid.full().keySet(), CaseGrid.quick().keySet());
    }

    @Test
    void everyKindTypePlacementAndDistributionIsThere() {
        List<Case> quick = cases(CaseGrid.quick()).toList();
        for (Class<?> kind : List.of(
                AttentionProblem.class,
                SoftmaxProblem.class,
                MultiHeadProblem.class,
                LinearProblem.class,
                RotaryProblem.class)) {
            assertTrue(quick.stream().anyMatch(c -> kind.isInstance(c.problem()) && c.backward()), kind::getName);
        }
        for (DType type : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
            assertTrue(quick.stream().anyMatch(c -> c.toString().contains(" " + type.label())), type::label);
        }
        for (Placement placement : Placement.SINGLE) {
            assertTrue(quick.stream().anyMatch(c -> c.placement() == placement), placement::name);
        }
        for (Case.Values values : Case.Values.values()) {
            assertTrue(quick.stream().anyMatch(c -> c.values() == values), values::name);
        }
        assertTrue(quick.size() > 250, quick.size() + " cases");
    }

    @TestFactory
    Stream<DynamicTest> naiveImplementationPassesAllButDoubles() {
        var verifier = new Verifier(new NaiveBackend());
        return cases(CaseGrid.quick())
                .filter(c -> !c.toString().contains("f64"))
                .map(c -> DynamicTest.dynamicTest(c.toString(), () -> {
                    Verdict verdict = verifier.check(c);
                    assertEquals(Verdict.Status.PASS, verdict.status(), verdict::toString);
                }));
    }

    @Test
    void naiveImplementationIsNoDoubleImplementation() {
        var verifier = new Verifier(new NaiveBackend());
        assertEquals(
                Verdict.Status.FAIL,
                verifier.check(Case.parse("q1x4x33x64 kv2x65 f64 lse weights")).status());
    }

    @Test
    void unreadableRecipesAreRefused() {
        for (String words : List.of("seed=x", "seed=", "values=odd", "layout=diagonal", "poisoned", "seed=1 seed=2")) {
            assertRefused(null, () -> Case.parse("q1x1x2x4 kv1x2 " + words));
        }
    }

    @Test
    void placementsKnowWhatWasWrittenBetweenTheirElements() {
        try (Arena arena = Arena.ofConfined()) {
            var layouts = new Random(1);
            for (Placement placement : Placement.values()) {
                for (DType type : List.of(DType.F32, DType.F64, DType.F16, DType.I64)) {
                    Tensor placed = placement.place(layouts, arena, type, 2, 3, 4, 5);
                    assertEquals(2 * 3 * 4 * 5, placed.elementCount());
                    assertEquals(0, Placement.strayWrites(placed.fill(1)), placement + " " + type);
                    if (placement == Placement.PADDED || placement == Placement.NATIVE) {
                        placed.put(placed.offset() - 1, 1);
                        placed.put(placed.position(1, 2, 3, 4) + 1, 1);
                        assertEquals(2, Placement.strayWrites(placed), placement + " " + type);
                    }
                }
            }
        }
    }
}
