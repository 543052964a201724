package dev.heed.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tests which row of a tuning table is chosen, and that invalid tables are rejected. */
class TuningTableTest {
    private static final String TEXT = """
            # a comment
            vendor\tphase\twidth\t|\ttx\tty
            nvidia\tprefill\t<=64\t|\t1\t10
            nvidia\tprefill\t*\t|\t2\t20
            nvidia\t*\t*\t|\t3\t30
            *\tprefill\t<=128\t|\t4\t40
            *\t*\t*\t|\t5\t50
            """;

    private static int tx(String vendor, String phase, String width) {
        return TuningTable.parse("test.tsv", TEXT)
                .best(Map.of("vendor", vendor, "phase", phase, "width", width))
                .get("tx");
    }

    @Test
    void theMostSpecificRowWins() {
        assertEquals(1, tx("NVIDIA Corporation", "prefill", "64"));
        assertEquals(2, tx("NVIDIA Corporation", "prefill", "65"));
        assertEquals(3, tx("NVIDIA Corporation", "backward", "64"));
        assertEquals(4, tx("AMD", "prefill", "128"));
        assertEquals(5, tx("AMD", "prefill", "129"));
        assertEquals(5, tx("AMD", "backward", "1"));
    }

    @Test
    void aTableThatIsNoneIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> TuningTable.parse("x", "a\tb\n1\t2\n"));
        assertThrows(IllegalArgumentException.class, () -> TuningTable.parse("x", "a\t|\tb\n1\t|\n"));
        assertThrows(IllegalArgumentException.class, () -> TuningTable.parse("x", ""));
        assertThrows(IllegalArgumentException.class, () -> TuningTable.resource("none.tsv"));
        TuningTable narrow = TuningTable.parse("x", "a\t|\tb\nk\t|\t1\n");
        assertThrows(IllegalArgumentException.class, () -> narrow.best(Map.of("a", "other")));
    }

    @Test
    void theTableOfTilesHasARowForEveryDevice() {
        TuningTable.Numbers row = TuningTable.resource("opencl_tiles.tsv")
                .best(Map.of("vendor", "nobody", "type", "GPU", "phase", "prefill", "width", "1000"));
        assertEquals(Set.of("tx", "ty", "rm", "rn", "depth"), row.byColumn().keySet());
    }
}
