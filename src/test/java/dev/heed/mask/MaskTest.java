package dev.heed.mask;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of masks by their pictures: one line per query, {@code #} for an attended key. */
class MaskTest {
    @Test
    void blocksAreDrawn() {
        Mask mask = Mask.blocks(2, "#..", ".##");
        mask.requireFits(3, 5, 4, 5); // the last column of blocks is cut short
        assertEquals("##...\n##...\n..###\n..###\n", mask.picture(4, 5));
        assertEquals("blocks:2x2:1x1x2x3", mask.pattern());
        BoundMask bound = mask.on(4, 5);
        assertEquals(TileCover.FULL, bound.cover(0, 0, 0, 2, 0, 2));
        assertEquals(TileCover.EMPTY, bound.cover(0, 0, 0, 2, 2, 5));
        assertEquals(TileCover.PARTIAL, bound.cover(0, 0, 1, 3, 0, 2));
        assertEquals(2, bound.firstKey(0, 0, 2, 4));
        assertEquals(2, bound.endKey(0, 0, 0, 2));
        assertRefused(null, () -> Mask.blocks(2, "#.", "#"));
        assertRefused(null, () -> Mask.blocks(2, "#x"));
        assertRefused(null, () -> Mask.blocks(2));
        assertRefused(null, () -> Mask.blocks(0, "#"));
        assertRefused(null, () -> mask.requireFits(1, 1, 5, 5));
        assertRefused(null, () -> mask.requireFits(1, 1, 4, 7));
    }

    @Test
    void spansAreRunsOfEachQuery() {
        Mask mask = Mask.spans(Tensor.of(new long[] {0, 2, 3, 3, 1, 9, -4, 1}, 1, 1, 4, 2));
        assertEquals("##...\n.....\n.####\n#....\n", mask.picture(4, 5));
        assertEquals("spans:1x1x4", mask.pattern());
        assertEquals(TileCover.EMPTY, mask.on(4, 5).cover(0, 0, 1, 2, 0, 5));
        assertEquals(TileCover.FULL, mask.on(4, 5).cover(0, 0, 2, 3, 1, 5));
        assertRefused(null, () -> Mask.spans(Tensor.zeros(DType.I64, 1, 1, 4, 3)));
        assertRefused(null, () -> Mask.spans(Tensor.zeros(DType.F32, 1, 1, 4, 2)));
        assertRefused(null, () -> mask.requireFits(1, 1, 5, 5));
    }

    /** Compares causal masks with the pictures in the Javadoc of {@link CausalAlignment}. */
    @Test
    void causalPicturesAreThoseOfTheDocumentation() {
        assertEquals("####.\n#####\n", Mask.causal().picture(2, 5));
        assertEquals("#....\n##...\n", Mask.causal(CausalAlignment.TOP_LEFT).picture(2, 5));
        assertEquals("..\n..\n..\n#.\n##\n", Mask.causal().picture(5, 2));
        assertEquals(
                "#.\n##\n##\n##\n##\n", Mask.causal(CausalAlignment.TOP_LEFT).picture(5, 2));
    }

    @Test
    void offsetsMoveTheDiagonal() {
        assertEquals("##...\n###..\n", Mask.causal(CausalAlignment.offset(1)).picture(2, 5));
        assertEquals(".....\n#....\n", Mask.causal(CausalAlignment.offset(-1)).picture(2, 5));
        assertEquals("#####\n#####\n", Mask.causal(CausalAlignment.offset(9)).picture(2, 5));
    }

    @Test
    void offsetsMayDifferByBatch() {
        BoundMask mask = Mask.causal(CausalAlignment.offset(0, 3)).on(2, 5);
        assertEquals(List.of(false, true), List.of(mask.takesPart(0, 0, 0, 3), mask.takesPart(1, 0, 0, 3)));
    }

    @Test
    void windowsIncludeBothBounds() {
        String banded = """
                ##...
                ###..
                ####.
                .####
                ..###
                """;
        assertEquals(banded, new Mask.Window(2, 1, CausalAlignment.TOP_LEFT).picture(5, 5));
        assertEquals("#...\n.#..\n..#.\n", new Mask.Window(0, 0, CausalAlignment.TOP_LEFT).picture(3, 4));
        assertEquals(".#..\n..#.\n...#\n", Mask.window(0, 0).picture(3, 4));
    }

    @Test
    void windowOfALengthEndsAtTheQuery() {
        assertEquals(
                "#....\n##...\n###..\n.###.\n..###\n", Mask.windowOfLength(3).picture(5, 5));
        assertEquals(Mask.window(0, 0), Mask.windowOfLength(1));
    }

    @Test
    void unboundedWindowsAreCausalOrNone() {
        long all = Mask.Window.UNBOUNDED;
        assertEquals(Mask.causal().picture(4, 7), Mask.window(all, 0).picture(4, 7));
        assertEquals(Mask.NONE.picture(4, 7), Mask.window(all, all).picture(4, 7));
        assertEquals("###\n###\n.##\n", Mask.window(1, all).picture(3, 3));
    }

    /** Compares windows with offsets and bounds at the ends of a long with the definition, computed without overflow. */
    @Test
    void positionsDoNotOverflow() {
        long[] ends = {0, 1, 2, 5, (1L << 31) - 2, 1L << 31, 1L << 32, 1L << 62, Long.MAX_VALUE - 4, Long.MAX_VALUE - 1
        };
        long min = Long.MIN_VALUE;
        for (long offset : new long[] {min, min + 1, min + 3, -1L << 62, -1L << 31, -2, 0, 3, 1L << 31, 1L << 62}) {
            for (long shift : new long[] {offset, -1 - offset}) {
                for (long left : ends) {
                    for (long right : ends) {
                        Mask mask = new Mask.Window(left, right, CausalAlignment.offset(shift));
                        assertEquals(defined(left, right, shift), mask.picture(5, 4), mask.pattern());
                    }
                }
                long all = Mask.Window.UNBOUNDED;
                Mask causal = Mask.causal(CausalAlignment.offset(shift));
                assertEquals(
                        new Mask.Window(all, 0, CausalAlignment.offset(shift)).picture(5, 4), causal.picture(5, 4));
                Mask none = new Mask.Window(all, all, CausalAlignment.offset(shift));
                assertEquals(Mask.NONE.picture(5, 4), none.picture(5, 4));
            }
        }
        assertEquals(
                "####\n####\n",
                Mask.causal(CausalAlignment.offset(Long.MAX_VALUE)).picture(2, 4));
        assertEquals("....\n....\n", Mask.causal(CausalAlignment.offset(min)).picture(2, 4));
    }

    private static String defined(long left, long right, long offset) {
        var text = new StringBuilder();
        for (long i = 0; i < 5; i++) {
            BigInteger position = BigInteger.valueOf(i).add(BigInteger.valueOf(offset));
            for (long j = 0; j < 4; j++) {
                BigInteger distance = BigInteger.valueOf(j).subtract(position);
                boolean attended = distance.compareTo(BigInteger.valueOf(right)) <= 0
                        && distance.negate().compareTo(BigInteger.valueOf(left)) <= 0;
                text.append(attended ? '#' : '.');
            }
            text.append('\n');
        }
        return text.toString();
    }

    @Test
    void keyLengthsCutTheEnd() {
        assertEquals("##.\n##.\n", Mask.keyLengths(2).picture(2, 3));
        assertEquals("...\n", Mask.keyLengths(0).picture(1, 3));
    }

    @Test
    void denseMasksAreSharedAlongAxesOfOne() {
        Tensor row = Tensor.of(new boolean[] {true, false, true}, 3);
        assertEquals("#.#\n#.#\n", Mask.dense(row).picture(2, 3));
        Tensor column = Tensor.of(new boolean[] {true, false}, 2, 1);
        assertEquals("###\n...\n", Mask.dense(column).picture(2, 3));
        assertEquals(
                "#.\n#.\n##\n",
                Mask.dense(Tensor.of(new boolean[] {true, true, true, false, false, true}, 2, 3)
                                .transpose(0, 1))
                        .picture(3, 2));
    }

    @Test
    void andOrJoin() {
        Mask left = Mask.keyLengths(2);
        Mask diagonal = new Mask.Window(0, 0, CausalAlignment.TOP_LEFT);
        assertEquals("#...\n.#..\n....\n", left.and(diagonal).picture(3, 4));
        assertEquals("##..\n##..\n###.\n", left.or(diagonal).picture(3, 4));
        assertSame(left, Mask.NONE.and(left));
        assertSame(left, left.and(Mask.NONE));
    }

    @Test
    void patternsAreShort() {
        assertEquals("none", Mask.NONE.pattern());
        assertEquals("causal:br", Mask.causal().pattern());
        assertEquals(
                "causal:+[1,0,-2]",
                Mask.causal(CausalAlignment.offset(new long[] {1, 0, -2})).pattern());
        assertEquals(
                "window:3,inf:+-1", new Mask.Window(3, Mask.Window.UNBOUNDED, CausalAlignment.offset(-1)).pattern());
        assertEquals("dense:1x1x4x6", Mask.dense(Tensor.zeros(DType.BOOL, 4, 6)).pattern());
        assertEquals(
                "(causal:tl|keylens)&window:0,0:br",
                Mask.causal(CausalAlignment.TOP_LEFT)
                        .or(Mask.keyLengths(1))
                        .and(Mask.window(0, 0))
                        .pattern());
    }

    @Test
    void masksThatCannotBeAreRefused() {
        assertRefused(null, () -> Mask.window(-1, 0));
        assertRefused(null, () -> Mask.window(0, -1));
        assertRefused(null, () -> Mask.windowOfLength(0));
        assertRefused(null, CausalAlignment::offset);
        assertRefused(null, () -> Mask.dense(Tensor.zeros(DType.F32, 2, 2)));
        assertRefused(null, () -> Mask.dense(Tensor.zeros(DType.BOOL, 1, 1, 1, 2, 2)));
        assertRefused(null, () -> new Mask.And(List.of()));
        assertRefused(null, () -> new Mask.Or(List.of()));
    }

    @Test
    void masksThatDoNotFitAreRefused() {
        assertRefused(null, () -> Mask.keyLengths(1).requireFits(2, 1, 3, 3));
        assertRefused(null, () -> Mask.keyLengths(1, 4).requireFits(2, 1, 3, 3));
        assertRefused(null, () -> Mask.keyLengths(1, -1).requireFits(2, 1, 3, 3));
        assertRefused(
                null,
                () -> Mask.causal(CausalAlignment.offset(new long[] {1, 2, 3})).requireFits(2, 1, 3, 3));
        assertRefused(null, () -> Mask.dense(Tensor.zeros(DType.BOOL, 2, 3)).requireFits(1, 1, 3, 3));
        assertRefused(null, () -> Mask.NONE.or(Mask.keyLengths(1)).requireFits(2, 1, 3, 3));
        Mask closed;
        try (Arena arena = Arena.ofConfined()) {
            closed = Mask.dense(Tensor.allocate(arena, DType.BOOL, 3, 3));
        }
        assertRefused(null, () -> closed.requireFits(1, 1, 3, 3));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "none:br",
                "nope",
                "causal:",
                "causal:bl",
                "causal:3",
                "causal:+",
                "causal:+x",
                "causal:+[1,2",
                "causal:+1]",
                "causal:+[]",
                "causal:+[1,,2]",
                "causal:br:tl",
                "causal:+99999999999999999999",
                "window",
                "window:3",
                "window:3,",
                "window:-1,0",
                "window:a,b",
                "window:1,2,3",
                "keylens:3",
                "dense",
                "dense:",
                "dense:axb",
                "dense:1x",
                "dense:0x4",
                "dense:-1",
                "dense:1x1x1x1x1",
                "(causal:br",
                "causal:br)",
                "()",
                "(causal:br|)",
                "causal:br|keylens",
                "causal:br&",
                "&causal:br",
                "causal:br keylens"
            })
    void unreadablePatternsAreRefused(String pattern) {
        assertRefused(null, () -> parse(pattern));
    }

    /** The parser is recursive; deep nesting must give a mask or an error message, not a stack overflow. */
    @Test
    void deeplyNestedPatternsAreReadOrRefused() {
        String deep = "(".repeat(100_000) + "none" + ")".repeat(100_000);
        try {
            assertEquals("none", parse(deep).pattern());
        } catch (InvalidInputException refused) {
            Assertions.assertTrue(refused.getMessage().contains("HINT"));
        }
    }

    @Test
    void shortSpellingsAreRead() {
        assertEquals(Mask.causal(), parse("causal"));
        assertEquals(Mask.window(3, 0), parse("window:3,0"));
        assertEquals(Mask.NONE, parse("((none))"));
        assertEquals("dense:1x1x4x6", parse("dense:4x6").pattern());
    }

    private static Mask parse(String pattern) {
        return MaskPattern.parse(pattern, new MaskPattern.Data() {
            @Override
            public long[] keyLengths() {
                return new long[] {1};
            }

            @Override
            public Tensor dense(long... shape) {
                return Tensor.zeros(DType.BOOL, 1).expand(shape);
            }
        });
    }
}
