package dev.heed.mask;

import dev.heed.tensor.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The position of the diagonal of a causal mask or a window: query {@code i} has the key position {@code i + offset}. Under
 * a causal mask it attends to the keys {@code j <= i + offset}.
 *
 * <p>{@link #BOTTOM_RIGHT} and {@link #TOP_LEFT} differ only if the numbers of queries and keys differ:
 *
 * <pre>
 * 2 queries, 5 keys           5 queries, 2 keys
 * BOTTOM_RIGHT  TOP_LEFT      BOTTOM_RIGHT  TOP_LEFT
 *   1 1 1 1 0   1 0 0 0 0       0 0         1 0
 *   1 1 1 1 1   1 1 0 0 0       0 0         1 1
 *                               0 0         1 1
 *                               1 0         1 1
 *                               1 1         1 1
 * </pre>
 */
public sealed interface CausalAlignment {
    /**
     * The last query has the position of the last key: {@code offset = seqLenKv - seqLenQ}. This is the default, and the
     * alignment that decode needs.
     */
    CausalAlignment BOTTOM_RIGHT = new BottomRight();

    /** The first query has the position of the first key: {@code offset = 0}, like {@code is_causal} in PyTorch. */
    CausalAlignment TOP_LEFT = new TopLeft();

    /** {@return an alignment with one offset for all batch entries, or one offset for each batch entry} */
    static CausalAlignment offset(long... perBatch) {
        InvalidInputException.requirePresent("offset", perBatch, "CausalAlignment.offset(0)");
        return new Offset(LongStream.of(perBatch).boxed().toList());
    }

    /** {@return the offset of a batch entry: the key position of its query 0} */
    long offsetOf(long batch, long seqLenQ, long seqLenKv);

    /** {@return the spelling in case strings: {@code br}, {@code tl}, {@code +3}, {@code +[1,0,-2]}} */
    String pattern();

    /**
     * Reads a {@link #pattern}.
     *
     * @throws InvalidInputException if it is not a spelling of an alignment
     */
    static CausalAlignment parse(String pattern) {
        try {
            return switch (pattern) {
                case "br" -> BOTTOM_RIGHT;
                case "tl" -> TOP_LEFT;
                default -> {
                    if (!pattern.startsWith("+")) {
                        throw new NumberFormatException(pattern);
                    }
                    String numbers = pattern.substring(1).replaceAll("^\\[(.*)]$", "$1");
                    yield offset(Arrays.stream(numbers.split(",", -1))
                            .mapToLong(Long::parseLong)
                            .toArray());
                }
            };
        } catch (NumberFormatException e) {
            throw new InvalidInputException("Unknown alignment", "br, tl, +3 or +[1,0,-2]", pattern, "write causal:br");
        }
    }

    /** See {@link #BOTTOM_RIGHT}. */
    record BottomRight() implements CausalAlignment {
        @Override
        public long offsetOf(long batch, long seqLenQ, long seqLenKv) {
            return seqLenKv - seqLenQ;
        }

        @Override
        public String pattern() {
            return "br";
        }
    }

    /** See {@link #TOP_LEFT}. */
    record TopLeft() implements CausalAlignment {
        @Override
        public long offsetOf(long batch, long seqLenQ, long seqLenKv) {
            return 0;
        }

        @Override
        public String pattern() {
            return "tl";
        }
    }

    /**
     * See {@link #offset(long...)}.
     *
     * @param perBatch one offset for all batch entries, or one offset for each batch entry
     */
    record Offset(List<Long> perBatch) implements CausalAlignment {
        /** Checks that there is an offset. */
        public Offset {
            perBatch = List.copyOf(perBatch);
            if (perBatch.isEmpty()) {
                throw new InvalidInputException(
                        "An offset is missing", "one offset, or one for each batch entry", "none", "offset(0)");
            }
        }

        @Override
        public long offsetOf(long batch, long seqLenQ, long seqLenKv) {
            return perBatch.get(perBatch.size() == 1 ? 0 : Math.toIntExact(batch));
        }

        @Override
        public String pattern() {
            return perBatch.size() == 1
                    ? "+" + perBatch.getFirst()
                    : perBatch.stream().map(String::valueOf).collect(Collectors.joining(",", "+[", "]"));
        }
    }
}
