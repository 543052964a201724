package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.verify.Case;
import dev.heed.verify.CaseGrid;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Runs the f32 cases of the grid again in f64, except those with i8 keys, to test the f64 loops with all options and sizes. */
@Tag("slow")
class F64GridTest {
    /** Cases with more than one block, tile or panel. */
    private static final List<String> LONGER = List.of(
            "q1x2x130x64 kv1x300 f64 lse mask=causal:br sink dropout=0.1 backward",
            "q2x2x70x40 kv2x200 f64 lse mask=window:150,0:br bias=2x2x70x200 softcap=20.0 backward",
            "q1x1x5x8 kv1x30001 f64 lse rows=2 topk=7",
            "q1x1x5x8 kv1x30001 f64 lse",
            "q2x6x1x64 kv2x3000 f64 lse sink",
            "q1x4x8x40 kv2x1500 dv72 f64 lse mask=causal:br softcap=5.0 alibi sink layout=padded",
            "q3x2x2x16 kv1x900 f64 lse mask=keylens bias=3x1x2x900 poison",
            "q1x2x3x24 kv1x2000 f64 lse mask=window:300,0:br values=huge",
            "q1x2x2x300 kv1x700 f64 lse score=additive:plain",
            "q1x2x40x64 kv2x100 f64 lse mask=causal:br backward values=large",
            "q1x2x40x64 kv2x100 f64 lse mask=causal:br backward values=huge",
            "mha in=300x300x300 out=290 biases=qkvo q2x5x130x60 kv5x130 f64 backward");

    private static final VectorBackend BACKEND = new VectorBackend(2);

    @AfterAll
    static void closeTheBackend() {
        BACKEND.close();
    }

    @TestFactory
    Stream<DynamicTest> everyCaseKeepsTheErrorBudgetInDoubles() {
        var verifier = new Verifier(BACKEND);
        var grid = Boolean.getBoolean("heed.full") ? CaseGrid.full() : CaseGrid.quick();
        Stream<String> wider = grid.values().stream()
                .flatMap(cases -> cases.stream())
                .map(Case::toString)
                .filter(text -> text.contains(" f32") && !text.contains(" kv=")) // i8 keys need f32 or narrower queries
                .map(text -> text.replace(" f32", " f64"));
        return Stream.concat(wider, LONGER.stream())
                .distinct()
                .map(text -> dynamicTest(text, () -> {
                    Verdict verdict = verifier.check(Case.parse(text));
                    assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
                }));
    }
}
