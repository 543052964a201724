package dev.heed.mask;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A parser for the text that {@link Mask#pattern} returns. The caller supplies the data of the mask, which a pattern does
 * not contain.
 */
public final class MaskPattern {
    /** A source of the data of a mask. */
    public interface Data {
        /** {@return the lengths of a {@code keylens} mask, one for each batch entry} */
        long[] keyLengths();

        /** {@return the truth values of a {@code dense:...} or {@code blocks:...} mask, with the given shape} */
        Tensor dense(long... shape);

        /** {@return the ranges of keys of a {@code spans:...} mask, i64 with the given shape; by default empty ranges} */
        default Tensor spans(long... shape) {
            return Tensor.zeros(DType.I64, shape);
        }
    }

    /** Maximum number of opening parentheses in a pattern. The parser is recursive, so more could exhaust the stack. */
    private static final int MAX_PARENTHESES = 100;

    private final String pattern;
    private final Data data;
    private int at;

    private MaskPattern(String pattern, Data data) {
        this.pattern = pattern;
        this.data = data;
    }

    /**
     * {@return the mask of a pattern}
     *
     * @throws InvalidInputException if the pattern cannot be read
     */
    public static Mask parse(String pattern, Data data) {
        var parser = new MaskPattern(pattern, data);
        if (pattern.chars().filter(c -> c == '(').count() > MAX_PARENTHESES) {
            throw parser.unreadable();
        }
        Mask mask = parser.all();
        if (parser.at != pattern.length()) {
            throw parser.unreadable();
        }
        return mask;
    }

    private Mask all() {
        List<Mask> masks = new ArrayList<>(List.of(one()));
        while (accept('&')) {
            masks.add(one());
        }
        return masks.size() == 1 ? masks.getFirst() : new Mask.And(masks);
    }

    private Mask one() {
        if (accept('(')) {
            List<Mask> masks = new ArrayList<>(List.of(all()));
            while (accept('|')) {
                masks.add(all());
            }
            if (!accept(')')) {
                throw unreadable();
            }
            return masks.size() == 1 ? masks.getFirst() : new Mask.Or(masks);
        }
        int start = at;
        while (at < pattern.length() && "&|()".indexOf(pattern.charAt(at)) < 0) {
            at++;
        }
        String[] words = pattern.substring(start, at).split(":", -1);
        try {
            return switch (words[0] + "/" + words.length) {
                case "none/1" -> Mask.NONE;
                case "causal/1" -> Mask.causal();
                case "causal/2" -> Mask.causal(CausalAlignment.parse(words[1]));
                case "window/2" -> window(words[1], CausalAlignment.BOTTOM_RIGHT);
                case "window/3" -> window(words[1], CausalAlignment.parse(words[2]));
                case "keylens/1" -> Mask.keyLengths(data.keyLengths());
                case "dense/2" -> Mask.dense(data.dense(sizes(words[1])));
                case "spans/2" -> spans(sizes(words[1]));
                case "blocks/3" -> blocks(sizes(words[1]), sizes(words[2]));
                default -> throw unreadable();
            };
        } catch (NumberFormatException e) {
            throw unreadable();
        }
    }

    private Mask spans(long[] sizes) {
        if (sizes.length != 3) {
            throw unreadable();
        }
        return Mask.spans(data.spans(sizes[0], sizes[1], sizes[2], 2));
    }

    private Mask blocks(long[] block, long[] sizes) {
        if (block.length != 2 || sizes.length != 4) {
            throw unreadable();
        }
        return Mask.blocks(data.dense(sizes), block[0], block[1]);
    }

    private static long[] sizes(String word) {
        return Arrays.stream(word.split("x", -1)).mapToLong(Long::parseLong).toArray();
    }

    private static Mask window(String bounds, CausalAlignment alignment) {
        String[] sides = bounds.split(",", -1);
        if (sides.length != 2) {
            throw new NumberFormatException(bounds);
        }
        return new Mask.Window(keys(sides[0]), keys(sides[1]), alignment);
    }

    private static long keys(String side) {
        return side.equals("inf") ? Mask.Window.UNBOUNDED : Long.parseLong(side);
    }

    private boolean accept(char expected) {
        if (at < pattern.length() && pattern.charAt(at) == expected) {
            at++;
            return true;
        }
        return false;
    }

    private InvalidInputException unreadable() {
        return new InvalidInputException(
                "The mask cannot be read",
                "none, causal[:br|:tl|:+3], window:3,0[:br], keylens, dense:1x1x4x6, spans:2x1x4,"
                        + " blocks:64x64:1x1x4x6, joined by & or as (a|b)",
                pattern,
                "write mask=causal:br&keylens");
    }
}
