package dev.heed.mask;

import static dev.heed.tensor.InvalidInputException.requirePresent;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A mask: the set of keys that each query attends to. In a boolean mask, true means ATTENDED, as in JAX, ONNX and
 * FlexAttention; in PyTorch's {@code MultiheadAttention}, true means masked. Keys and values that no query attends to are
 * never read, so NaN in them changes nothing. Additive terms are a bias, not a mask.
 */
public sealed interface Mask {
    /** No mask: every query attends to every key. */
    Mask NONE = new None();

    /**
     * {@return a causal mask: a query attends to the keys at or before its position} The last query has the position of the
     * last key.
     */
    static Mask causal() {
        return new Causal(CausalAlignment.BOTTOM_RIGHT);
    }

    /** {@return a causal mask with an alignment, which defines the positions of the queries} */
    static Mask causal(CausalAlignment alignment) {
        return new Causal(alignment);
    }

    /** {@return a window of {@code length} keys, the last of them at the query's position: left = length - 1, right = 0} */
    static Mask windowOfLength(long length) {
        return new Window(
                Math.max(length, 0) - 1, 0, CausalAlignment.BOTTOM_RIGHT); // the lowest long must not overflow
    }

    /**
     * {@return a window of the {@code left} keys before the query's position, the key at the position, and the
     * {@code right} keys after it}
     */
    static Mask window(long left, long right) {
        return new Window(left, right, CausalAlignment.BOTTOM_RIGHT);
    }

    /**
     * {@return a mask of key lengths: all queries of a batch entry attend to its first {@code lengths[batch]} keys} With a
     * length of 0 they attend to no keys.
     */
    static Mask keyLengths(long... lengths) {
        requirePresent("key lengths", lengths, "Mask.keyLengths(3, 5)");
        return new KeyLengths(LongStream.of(lengths).boxed().toList());
    }

    /**
     * {@return a mask with a truth value for every query and key, bool {@code [batch, numHeads, seqLenQ, seqLenKv]}; axes
     * of size 1 and missing leading axes are broadcast}
     */
    static Mask dense(Tensor takesPart) {
        return new Dense(takesPart);
    }

    /**
     * {@return a mask of spans: each query attends to its own range of keys}
     *
     * @param spans i64 {@code [batch, numHeads, seqLenQ, 2]}: the first key and the end (exclusive); a query with an empty
     *     range attends to no keys; axes of size 1 are broadcast
     */
    static Mask spans(Tensor spans) {
        return new Spans(spans);
    }

    /**
     * {@return a block-sparse mask: every block of queries by keys is either attended or masked; the last block of an axis
     * may be cut short}
     *
     * @param takesPart bool {@code [batch, numHeads, ceil(seqLenQ / queryBlock), ceil(seqLenKv / keyBlock)]}; the axes of
     *     batch and heads may have size 1 or be missing, and are then broadcast
     * @param queryBlock queries per block
     * @param keyBlock keys per block
     */
    static Mask blocks(Tensor takesPart, long queryBlock, long keyBlock) {
        return new Blocks(takesPart, queryBlock, keyBlock);
    }

    /**
     * {@return a block-sparse mask given as a picture, shared by all batch entries and heads:
     * {@code blocks(64, "#..", "##.", ".##")}}
     *
     * @param block queries per block and keys per block
     * @param rows one string for each row of blocks: {@code #} for an attended block, {@code .} for a masked one
     */
    static Mask blocks(long block, String... rows) {
        return Blocks.drawn(block, rows);
    }

    /** {@return the intersection of two masks: a key is attended if it is attended in both} */
    default Mask and(Mask other) {
        requirePresent("other mask", other, "Mask.NONE masks nothing");
        if (this instanceof None) {
            return other;
        }
        return other instanceof None ? this : new And(List.of(this, other));
    }

    /** {@return the union of two masks: a key is attended if it is attended in at least one of them} */
    default Mask or(Mask other) {
        requirePresent("other mask", other, "Mask.NONE masks nothing");
        return new Or(List.of(this, other));
    }

    /** {@return this mask for the given numbers of queries and keys} */
    BoundMask on(long seqLenQ, long seqLenKv);

    /**
     * Checks that the mask fits an attention of these sizes.
     *
     * @throws InvalidInputException if it does not fit
     */
    void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv);

    /**
     * {@return the mask without its data, as case strings spell it: {@code none}, {@code causal:br}, {@code window:3,0:br},
     * {@code keylens}, {@code dense:1x1x4x6}, {@code spans:2x1x4}, {@code blocks:64x64:1x1x4x6}, {@code causal:br&keylens},
     * {@code (a|b)}}
     */
    String pattern();

    /** {@return the tensors that the mask reads} */
    default List<Tensor> tensors() {
        return switch (this) {
            case Dense dense -> List.of(dense.takesPart());
            case Spans spans -> List.of(spans.spans());
            case Blocks blocks -> List.of(blocks.takesPart());
            case And and ->
                and.masks().stream().flatMap(mask -> mask.tensors().stream()).toList();
            case Or or ->
                or.masks().stream().flatMap(mask -> mask.tensors().stream()).toList();
            default -> List.of();
        };
    }

    /**
     * {@return a picture of the mask of batch entry 0 and head 0} It has one line per query, with {@code #} for an attended
     * key and {@code .} for a masked one.
     */
    default String picture(long seqLenQ, long seqLenKv) {
        BoundMask bound = on(seqLenQ, seqLenKv);
        var text = new StringBuilder();
        for (long i = 0; i < seqLenQ; i++) {
            for (long j = 0; j < seqLenKv; j++) {
                text.append(bound.takesPart(0, 0, i, j) ? '#' : '.');
            }
            text.append('\n');
        }
        return text.toString();
    }

    /** See {@link #NONE}. */
    record None() implements Mask {
        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new BoundMask() {
                @Override
                public boolean takesPart(long batch, long head, long query, long key) {
                    return true;
                }

                @Override
                public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
                    return TileCover.FULL;
                }

                @Override
                public long endKey(long batch, long head, long queryFrom, long queryTo) {
                    return seqLenKv;
                }
            };
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {}

        @Override
        public String pattern() {
            return "none";
        }
    }

    /**
     * See {@link #causal(CausalAlignment)}.
     *
     * @param alignment the position of the diagonal
     */
    record Causal(CausalAlignment alignment) implements Mask {
        /** Checks that there is an alignment. */
        public Causal {
            requirePresent("alignment", alignment, "CausalAlignment.BOTTOM_RIGHT");
        }

        /** {@return the window that equals this mask: no bound before the position, and no key after it} */
        public Window window() {
            return new Window(Window.UNBOUNDED, 0, alignment);
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new Band(window(), seqLenQ, seqLenKv);
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            requireOffsets(alignment, batch);
        }

        @Override
        public String pattern() {
            return "causal:" + alignment.pattern();
        }
    }

    /**
     * A band around the position {@code p = i + offset} of query {@code i}: the keys {@code p - left <= j <= p + right}.
     *
     * @param left the number of attended keys before the position, {@link #UNBOUNDED} for all
     * @param right the number of attended keys after the position, {@link #UNBOUNDED} for all
     * @param alignment the position of the diagonal
     */
    record Window(long left, long right, CausalAlignment alignment) implements Mask {
        /** The value of {@code left} or {@code right} for no bound on that side. */
        public static final long UNBOUNDED = Long.MAX_VALUE;

        private static final long FAR = 1L << 62;

        /** Checks the bounds. */
        public Window {
            requirePresent("alignment", alignment, "CausalAlignment.BOTTOM_RIGHT");
            if (left < 0 || right < 0) {
                throw new InvalidInputException(
                        "The bounds of a window must not be negative",
                        "left >= 0 and right >= 0, both inclusive",
                        "left " + left + ", right " + right,
                        "Window.UNBOUNDED for no bound; Mask.windowOfLength(w) for the last w keys");
            }
        }

        /**
         * {@return the smallest attended {@code key - query} of a batch entry, {@code offset - left}, computed without
         * overflow: at least {@code -2^62} and at most {@code 2^62}, which are out of reach for any lengths}
         */
        public long leastDistance(long batch, long seqLenQ, long seqLenKv) {
            long offset = alignment.offsetOf(batch, seqLenQ, seqLenKv);
            long least = offset - left;
            return left == UNBOUNDED || least > offset ? -FAR : Math.clamp(least, -FAR, FAR);
        }

        /** {@return the largest attended {@code key - query} of a batch entry, {@code offset + right}; see {@link #leastDistance}} */
        public long largestDistance(long batch, long seqLenQ, long seqLenKv) {
            long offset = alignment.offsetOf(batch, seqLenQ, seqLenKv);
            long largest = offset + right;
            return right == UNBOUNDED || largest < offset ? FAR : Math.clamp(largest, -FAR, FAR);
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new Band(this, seqLenQ, seqLenKv);
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            requireOffsets(alignment, batch);
        }

        @Override
        public String pattern() {
            return "window:" + bound(left) + "," + bound(right) + ":" + alignment.pattern();
        }

        private static String bound(long keys) {
            return keys == UNBOUNDED ? "inf" : Long.toString(keys);
        }
    }

    /**
     * See {@link #keyLengths(long...)}.
     *
     * @param lengths the number of attended keys of each batch entry
     */
    record KeyLengths(List<Long> lengths) implements Mask {
        /** Copies the lengths. */
        public KeyLengths {
            requirePresent("key lengths", lengths, "Mask.keyLengths(3, 5)");
            lengths = List.copyOf(lengths);
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            long[] ends = lengths.stream().mapToLong(Long::longValue).toArray();
            return new BoundMask() {
                @Override
                public boolean takesPart(long batch, long head, long query, long key) {
                    return key < ends[(int) batch];
                }

                @Override
                public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
                    long end = ends[(int) batch];
                    return keyTo <= end ? TileCover.FULL : keyFrom >= end ? TileCover.EMPTY : TileCover.PARTIAL;
                }

                @Override
                public long endKey(long batch, long head, long queryFrom, long queryTo) {
                    return ends[(int) batch];
                }
            };
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            if (lengths.size() != batch || lengths.stream().anyMatch(n -> n < 0 || n > seqLenKv)) {
                throw new InvalidInputException(
                        "The key lengths do not fit",
                        batch + " lengths from 0 to " + seqLenKv,
                        lengths.toString(),
                        "Mask.keyLengths(...) needs one length for each batch entry");
            }
        }

        @Override
        public String pattern() {
            return "keylens";
        }
    }

    /**
     * See {@link #dense(Tensor)}.
     *
     * @param takesPart bool, broadcast to {@code [batch, numHeads, seqLenQ, seqLenKv]}
     */
    record Dense(Tensor takesPart) implements Mask {
        /** Checks type and rank, and adds missing leading axes. */
        public Dense {
            requirePresent("mask", takesPart, "Mask.NONE masks nothing");
            if (takesPart.type() != DType.BOOL || takesPart.rank() > 4) {
                throw new InvalidInputException(
                        "A dense mask must contain truth values and have at most 4 axes",
                        "bool of rank 4 or less, true = attended",
                        takesPart.toString(),
                        "pass additive masks as withBias(tensor)");
            }
            while (takesPart.rank() < 4) {
                takesPart = takesPart.unsqueeze(0);
            }
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            long[] step = new long[4];
            for (int axis = 0; axis < 4; axis++) {
                step[axis] = takesPart.size(axis) == 1 ? 0 : takesPart.stride(axis);
            }
            Tensor data = takesPart;
            return new BoundMask() {
                @Override
                public boolean takesPart(long batch, long head, long query, long key) {
                    return data.at(data.offset() + batch * step[0] + head * step[1] + query * step[2] + key * step[3])
                            != 0;
                }

                @Override
                public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
                    boolean first = takesPart(batch, head, queryFrom, keyFrom);
                    for (long i = queryFrom; i < queryTo; i++) {
                        for (long j = keyFrom; j < keyTo; j++) {
                            if (takesPart(batch, head, i, j) != first) {
                                return TileCover.PARTIAL;
                            }
                        }
                    }
                    return first ? TileCover.FULL : TileCover.EMPTY;
                }

                @Override
                public long endKey(long batch, long head, long queryFrom, long queryTo) {
                    return seqLenKv;
                }
            };
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            takesPart.requireAccessible("mask");
            takesPart.expand(batch, numHeads, seqLenQ, seqLenKv);
        }

        @Override
        public String pattern() {
            return LongStream.of(takesPart.shape())
                    .mapToObj(Long::toString)
                    .collect(Collectors.joining("x", "dense:", ""));
        }
    }

    /**
     * See {@link #spans(Tensor)}.
     *
     * @param spans i64, broadcast to {@code [batch, numHeads, seqLenQ, 2]}
     */
    record Spans(Tensor spans) implements Mask {
        /** Checks type, rank and last axis. */
        public Spans {
            requirePresent("spans", spans, "Mask.NONE masks nothing");
            if (spans.type() != DType.I64 || spans.rank() != 4 || spans.size(3) != 2) {
                throw new InvalidInputException(
                        "Spans must be a first key and an end (exclusive) for each query",
                        "i64 [batch, numHeads, seqLenQ, 2]",
                        spans.toString(),
                        "Tensor.of(new long[] {0, 2, 1, 3}, 1, 1, 2, 2)");
            }
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new SpanRows(spans, seqLenKv);
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            spans.requireAccessible("spans");
            spans.expand(batch, numHeads, seqLenQ, 2);
        }

        @Override
        public String pattern() {
            return "spans:" + spans.size(0) + "x" + spans.size(1) + "x" + spans.size(2);
        }
    }

    /**
     * See {@link #blocks(Tensor, long, long)}.
     *
     * @param takesPart bool, one truth value per block
     * @param queryBlock queries per block
     * @param keyBlock keys per block
     */
    record Blocks(Tensor takesPart, long queryBlock, long keyBlock) implements Mask {
        /** Checks the blocks and adds missing leading axes. */
        public Blocks {
            requirePresent("block mask", takesPart, "Mask.NONE masks nothing");
            if (takesPart.type() != DType.BOOL || takesPart.rank() > 4 || takesPart.rank() < 2) {
                throw new InvalidInputException(
                        "A block mask must have a truth value for each block",
                        "bool of rank 2 to 4, true = attended",
                        takesPart.toString(),
                        "Mask.blocks(64, \"#.\", \"##\") draws one");
            }
            if (queryBlock < 1 || keyBlock < 1) {
                throw new InvalidInputException(
                        "A block must have at least 1 query and 1 key",
                        "sizes of 1 or more",
                        queryBlock + " queries by " + keyBlock + " keys",
                        "Mask.blocks(takesPart, 64, 64)");
            }
            while (takesPart.rank() < 4) {
                takesPart = takesPart.unsqueeze(0);
            }
        }

        private static Blocks drawn(long block, String... rows) {
            int width = rows.length == 0 ? 0 : rows[0].length();
            boolean[] truths = new boolean[rows.length * width];
            for (int i = 0; i < truths.length; i++) {
                String row = rows[i / width];
                char drawn = row.length() == width ? row.charAt(i % width) : '?';
                if (drawn != '#' && drawn != '.') {
                    throw undrawn(rows);
                }
                truths[i] = drawn == '#';
            }
            if (truths.length == 0) {
                throw undrawn(rows);
            }
            return new Blocks(Tensor.of(truths, rows.length, width), block, block);
        }

        private static InvalidInputException undrawn(String... rows) {
            return new InvalidInputException(
                    "The blocks cannot be read",
                    "rows of one length, # for an attended block and . for a masked one",
                    Arrays.toString(rows),
                    "Mask.blocks(64, \"#.\", \"##\")");
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new BlockRows(takesPart, queryBlock, keyBlock, seqLenKv);
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            takesPart.requireAccessible("mask");
            long down = Math.ceilDiv(seqLenQ, queryBlock);
            long across = Math.ceilDiv(seqLenKv, keyBlock);
            boolean fits = (takesPart.size(0) == 1 || takesPart.size(0) == batch)
                    && (takesPart.size(1) == 1 || takesPart.size(1) == numHeads)
                    && takesPart.size(2) == down
                    && takesPart.size(3) == across;
            if (!fits) {
                throw new InvalidInputException(
                        "The blocks do not cover the queries and keys",
                        "[" + batch + " or 1, " + numHeads + " or 1, " + down + ", " + across + "] blocks of "
                                + queryBlock + " by " + keyBlock,
                        takesPart.toString(),
                        "a block that is cut short at the end is a block too");
            }
        }

        @Override
        public String pattern() {
            return LongStream.of(takesPart.shape())
                    .mapToObj(Long::toString)
                    .collect(Collectors.joining("x", "blocks:" + queryBlock + "x" + keyBlock + ":", ""));
        }
    }

    /**
     * See {@link #and(Mask)}.
     *
     * @param masks the masks, all of which must let a query use a key
     */
    record And(List<Mask> masks) implements Mask {
        /** Checks that there are at least two masks. */
        public And {
            masks = atLeastTwo(masks);
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new Joined(bind(masks, seqLenQ, seqLenKv), true);
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            masks.forEach(mask -> mask.requireFits(batch, numHeads, seqLenQ, seqLenKv));
        }

        @Override
        public String pattern() {
            return masks.stream().map(Mask::pattern).collect(Collectors.joining("&"));
        }
    }

    /**
     * See {@link #or(Mask)}.
     *
     * @param masks the masks, at least one of which must let a query use a key
     */
    record Or(List<Mask> masks) implements Mask {
        /** Checks that there are at least two masks. */
        public Or {
            masks = atLeastTwo(masks);
        }

        @Override
        public BoundMask on(long seqLenQ, long seqLenKv) {
            return new Joined(bind(masks, seqLenQ, seqLenKv), false);
        }

        @Override
        public void requireFits(long batch, long numHeads, long seqLenQ, long seqLenKv) {
            masks.forEach(mask -> mask.requireFits(batch, numHeads, seqLenQ, seqLenKv));
        }

        @Override
        public String pattern() {
            return masks.stream().map(Mask::pattern).collect(Collectors.joining("|", "(", ")"));
        }
    }

    private static List<Mask> atLeastTwo(List<Mask> masks) {
        if (masks.size() < 2) {
            throw new InvalidInputException(
                    "A combination of masks needs at least two",
                    "two or more",
                    masks.toString(),
                    "a.and(b), a.or(b), or the mask itself");
        }
        return List.copyOf(masks);
    }

    private static BoundMask[] bind(List<Mask> masks, long seqLenQ, long seqLenKv) {
        var bound = new BoundMask[masks.size()]; // a loop, because a decode step takes as long as a stream of two masks
        for (int n = 0; n < bound.length; n++) {
            bound[n] = masks.get(n).on(seqLenQ, seqLenKv);
        }
        return bound;
    }

    private static void requireOffsets(CausalAlignment alignment, long batch) {
        if (alignment instanceof CausalAlignment.Offset(List<Long> perBatch)
                && perBatch.size() != 1
                && perBatch.size() != batch) {
            throw new InvalidInputException(
                    "The offsets of the alignment do not fit the batch",
                    "1 or " + batch + " offsets",
                    Arrays.toString(perBatch.toArray()),
                    "CausalAlignment.offset(p) applies to every batch entry");
        }
    }
}
