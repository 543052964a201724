package dev.heed.mask;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.RandomTensors;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;

/** Compares the tile covers, key ranges and masked scores of bound masks with {@code takesPart} of each element. */
@PropertyDefaults(tries = 600, edgeCases = EdgeCasesMode.NONE)
class MaskProperties {
    private static final int BATCH = 2;
    private static final int HEADS = 2;

    /**
     * A mask of any kind, with at most two levels of {@code And} and {@code Or}, and the numbers of queries and keys that
     * it fits.
     */
    record Fitted(Mask mask, int seqLenQ, int seqLenKv) {
        BoundMask bound() {
            return mask.on(seqLenQ, seqLenKv);
        }
    }

    /** A rectangle of the attention matrix of one batch entry and head. */
    record Tile(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        static Tile of(Fitted fitted, long seed) {
            var random = new Random(seed);
            int i = random.nextInt(fitted.seqLenQ);
            int j = random.nextInt(fitted.seqLenKv);
            return new Tile(
                    random.nextInt(BATCH),
                    random.nextInt(HEADS),
                    i,
                    i + 1 + random.nextInt(fitted.seqLenQ - i),
                    j,
                    j + 1 + random.nextInt(fitted.seqLenKv - j));
        }

        TileCover cover(BoundMask mask) {
            return mask.cover(batch, head, queryFrom, queryTo, keyFrom, keyTo);
        }

        TileCover counted(BoundMask mask) {
            long seen = 0;
            for (long i = queryFrom; i < queryTo; i++) {
                for (long j = keyFrom; j < keyTo; j++) {
                    seen += mask.takesPart(batch, head, i, j) ? 1 : 0;
                }
            }
            long all = (queryTo - queryFrom) * (keyTo - keyFrom);
            return seen == 0 ? TileCover.EMPTY : seen == all ? TileCover.FULL : TileCover.PARTIAL;
        }
    }

    @Provide
    Arbitrary<Fitted> fitted() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 13),
                        Arbitraries.integers().between(1, 13))
                .flatAs((q, k) -> mask(q, k, 2).map(mask -> new Fitted(mask, q, k)));
    }

    private static Arbitrary<Mask> mask(int q, int k, int depth) {
        Arbitrary<Mask> leaf = leaf(q, k);
        if (depth == 0) {
            return leaf;
        }
        Arbitrary<List<Mask>> parts = mask(q, k, depth - 1).list().ofMinSize(2).ofMaxSize(3);
        return Arbitraries.oneOf(leaf, leaf, parts.map(Mask.And::new), parts.map(Mask.Or::new));
    }

    private static Arbitrary<Mask> leaf(int q, int k) {
        Arbitrary<Mask> windows =
                Combinators.combine(bound(), bound(), alignment()).as(Mask.Window::new);
        Arbitrary<Mask> lengths =
                Arbitraries.longs().between(0, k).list().ofSize(BATCH).map(Mask.KeyLengths::new);
        Arbitrary<Mask> dense = Combinators.combine(
                        Arbitraries.longs().between(0, 1000),
                        Arbitraries.doubles().between(0, 1),
                        Arbitraries.integers().between(0, 15))
                .as((seed, probability, shared) -> Mask.dense(new RandomTensors(seed)
                        .truths(
                                probability,
                                (shared & 1) == 0 ? BATCH : 1,
                                (shared & 2) == 0 ? HEADS : 1,
                                (shared & 4) == 0 ? q : 1,
                                (shared & 8) == 0 ? k : 1)));
        Arbitrary<Mask> spans = Combinators.combine(
                        Arbitraries.longs().between(0, 1000),
                        Arbitraries.integers().between(0, 7))
                .as((seed, shared) -> spans(
                        k,
                        new Random(seed),
                        (shared & 1) == 0 ? BATCH : 1,
                        (shared & 2) == 0 ? HEADS : 1,
                        (shared & 4) == 0 ? q : 1));
        Arbitrary<Mask> blocks = Combinators.combine(
                        Arbitraries.longs().between(0, 1000),
                        Arbitraries.longs().between(1, 5),
                        Arbitraries.longs().between(1, 5),
                        Arbitraries.integers().between(0, 3))
                .as((seed, down, across, shared) -> Mask.blocks(
                        new RandomTensors(seed)
                                .truths(
                                        0.5,
                                        (shared & 1) == 0 ? BATCH : 1,
                                        (shared & 2) == 0 ? HEADS : 1,
                                        Math.ceilDiv(q, down),
                                        Math.ceilDiv(k, across)),
                        down,
                        across));
        return Arbitraries.oneOf(
                Arbitraries.just(Mask.NONE), alignment().map(Mask::causal), windows, lengths, dense, spans, blocks);
    }

    /** {@return spans of random keys; some are empty, some begin before the first key or end beyond the last key} */
    private static Mask spans(int k, Random random, long... shape) {
        long[] ends = new long[(int) (shape[0] * shape[1] * shape[2] * 2)];
        for (int i = 0; i < ends.length; i += 2) {
            ends[i] = random.nextInt(k + 4) - 2;
            ends[i + 1] = ends[i] + random.nextInt(k + 2) - 1;
        }
        return Mask.spans(Tensor.of(ends, shape[0], shape[1], shape[2], 2));
    }

    private static Arbitrary<Long> bound() {
        return Arbitraries.oneOf(
                Arbitraries.longs().between(0, 14),
                Arbitraries.just(Mask.Window.UNBOUNDED),
                Arbitraries.longs().between(Long.MAX_VALUE - 20, Long.MAX_VALUE - 1),
                Arbitraries.of((1L << 31) - 1, 1L << 31, 1L << 62));
    }

    private static Arbitrary<CausalAlignment> alignment() {
        Arbitrary<CausalAlignment> offsets = Arbitraries.oneOf(
                        Arbitraries.longs().between(-15, 15).list().ofSize(1),
                        Arbitraries.longs().between(-15, 15).list().ofSize(BATCH),
                        Arbitraries.of(Long.MIN_VALUE, Long.MIN_VALUE + 3, -(1L << 62), 1L << 62, Long.MAX_VALUE - 3)
                                .list()
                                .ofSize(BATCH))
                .map(CausalAlignment.Offset::new);
        return Arbitraries.oneOf(Arbitraries.of(CausalAlignment.BOTTOM_RIGHT, CausalAlignment.TOP_LEFT), offsets);
    }

    @Property
    void coverIsATruePromise(@ForAll("fitted") Fitted fitted, @ForAll long seed) {
        Tile tile = Tile.of(fitted, seed);
        TileCover cover = tile.cover(fitted.bound());
        TileCover counted = tile.counted(fitted.bound());
        assertTrue(cover == TileCover.PARTIAL || cover == counted, () -> cover + " but " + counted + " in " + tile);
    }

    /** Only {@code And} and {@code Or} may answer PARTIAL for an empty or full tile. */
    @Property
    void coverOfASimpleMaskIsExact(@ForAll("fitted") Fitted fitted, @ForAll long seed) {
        Mask mask = fitted.mask;
        if (!(mask instanceof Mask.And) && !(mask instanceof Mask.Or)) {
            Tile tile = Tile.of(fitted, seed);
            assertEquals(tile.counted(fitted.bound()), tile.cover(fitted.bound()), tile::toString);
        }
    }

    @Property
    void keysOutsideFirstAndEndAreNotSeen(@ForAll("fitted") Fitted fitted, @ForAll long seed) {
        Tile tile = Tile.of(fitted, seed);
        BoundMask mask = fitted.bound();
        long first = mask.firstKey(tile.batch, tile.head, tile.queryFrom, tile.queryTo);
        long end = mask.endKey(tile.batch, tile.head, tile.queryFrom, tile.queryTo);
        assertTrue(first >= 0 && end <= fitted.seqLenKv, () -> first + " to " + end);
        for (long i = tile.queryFrom; i < tile.queryTo; i++) {
            for (long j = 0; j < fitted.seqLenKv; j++) {
                assertFalse(
                        (j < first || j >= end) && mask.takesPart(tile.batch, tile.head, i, j),
                        i + ", " + j + " must not be attended outside " + first + " to " + end);
            }
        }
    }

    @Property
    void hidePutsMinusInfinityWhereNothingIsSeen(@ForAll("fitted") Fitted fitted, @ForAll long seed) {
        Tile tile = Tile.of(fitted, seed);
        BoundMask mask = fitted.bound();
        int queries = (int) (tile.queryTo - tile.queryFrom);
        int step = queries + (int) (seed & 3);
        int at = (int) (seed >>> 2 & 7);
        float[] scores = new float[at + step * (int) (tile.keyTo - tile.keyFrom) + 3];
        Arrays.fill(scores, 1);
        mask.maskScores(
                tile.batch, tile.head, tile.queryFrom, tile.queryTo, tile.keyFrom, tile.keyTo, scores, at, step);
        for (long j = tile.keyFrom; j < tile.keyTo; j++) {
            for (long i = tile.queryFrom; i < tile.queryTo; i++) {
                int cell = at + (int) ((j - tile.keyFrom) * step + i - tile.queryFrom);
                boolean seen = mask.takesPart(tile.batch, tile.head, i, j);
                assertEquals(seen ? 1 : Float.NEGATIVE_INFINITY, scores[cell], i + ", " + j);
                scores[cell] = 1;
            }
        }
        for (float score : scores) {
            assertEquals(1, score, "written outside the tile");
        }
    }

    @Property
    void joinsAskTheirParts(@ForAll("fitted") Fitted fitted, @ForAll long seed) {
        Tile at = Tile.of(fitted, seed);
        boolean joined = fitted.bound().takesPart(at.batch, at.head, at.queryFrom, at.keyFrom);
        if (fitted.mask instanceof Mask.And(List<Mask> parts)) {
            assertEquals(parts.stream().allMatch(part -> seen(part, fitted, at)), joined);
        } else if (fitted.mask instanceof Mask.Or(List<Mask> parts)) {
            assertEquals(parts.stream().anyMatch(part -> seen(part, fitted, at)), joined);
        }
    }

    private static boolean seen(Mask part, Fitted fitted, Tile at) {
        return part.on(fitted.seqLenQ, fitted.seqLenKv).takesPart(at.batch, at.head, at.queryFrom, at.keyFrom);
    }

    @Property
    void patternsPrintAndParse(@ForAll("fitted") Fitted fitted) {
        String pattern = fitted.mask.pattern();
        Mask read = MaskPattern.parse(pattern, new MaskPattern.Data() {
            @Override
            public long[] keyLengths() {
                return new long[BATCH];
            }

            @Override
            public Tensor dense(long... shape) {
                return Tensor.zeros(DType.BOOL, shape);
            }
        });
        assertEquals(pattern, read.pattern());
        read.requireFits(BATCH, HEADS, fitted.seqLenQ, fitted.seqLenKv);
        fitted.mask.requireFits(BATCH, HEADS, fitted.seqLenQ, fitted.seqLenKv);
    }
}
