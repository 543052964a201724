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

/** Every case of the grid is as near to the double reference as the error budget asks, or is refused with reasons. */
interface GridContract extends ContractChapter {
    /** The quick grid; {@code -Dheed.full=true} takes the full one. */
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

    /** {@return whether a case of a group is taken}; all are, where nobody says why not. */
    default boolean takes(String group, int index) {
        return true;
    }

    private static void requirePass(Verifier verifier, Case checked) {
        Verdict verdict = verifier.check(checked);
        assumeTrue(verdict.status() != Verdict.Status.SKIP, verdict.message());
        assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
    }
}
