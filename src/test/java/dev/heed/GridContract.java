package dev.heed;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.verify.Case;
import dev.heed.verify.CaseGrid;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * Tests that the error of every case of {@link CaseGrid}, measured against the double-precision reference, is within the error
 * budget. A case that the backend does not support is skipped with the reasons.
 */
interface GridContract extends ContractChapter {
    /** Runs the quick grid, or the full grid with {@code -Dheed.full=true}. */
    @TestFactory
    default Stream<DynamicNode> everyCaseOfTheGridKeepsTheErrorBudget() {
        var verifier = new Verifier(subject());
        var groups = Boolean.getBoolean("heed.full") ? CaseGrid.full() : CaseGrid.quick();
        return groups.entrySet().stream()
                .map(group -> dynamicContainer(
                        group.getKey(),
                        IntStream.range(0, group.getValue().size())
                                .filter(index -> takes(group.getKey(), index))
                                .mapToObj(group.getValue()::get)
                                .map(c -> dynamicTest(c.toString(), () -> requirePass(verifier, c)))));
    }

    /** {@return whether the case with this index in a group runs; by default all cases run} */
    default boolean takes(String group, int index) {
        return true;
    }

    private static void requirePass(Verifier verifier, Case checked) {
        Verdict verdict = verifier.check(checked);
        assumeTrue(verdict.status() != Verdict.Status.SKIP, verdict.message());
        assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
    }
}
