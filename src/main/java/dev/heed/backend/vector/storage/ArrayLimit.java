package dev.heed.backend.vector.storage;

import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * A check that no array of a problem exceeds the maximum length of a Java array. Each matrix, each row of softmax and
 * rotary embedding, and the key gradients of a head (in f64 attention and in multi-head attention) are one array. Packed
 * matrices are padded to whole panels.
 */
public final class ArrayLimit {
    private static final long LONGEST_ARRAY = Integer.MAX_VALUE - 8;
    private static final long WIDEST_HEAD = Integer.MAX_VALUE / 4096;

    /** Columns per panel at 512 bits in f32; a panel in f64 has half as many. */
    private static final long PANEL = 64;

    private final List<String> reasons = new ArrayList<>();

    private ArrayLimit() {}

    /** {@return the reasons why arrays cannot hold a problem, each with the value and the limit; empty if they can hold it} */
    public static List<String> reasons(Problem problem) {
        var limit = new ArrayLimit();
        switch (problem) {
            case AttentionProblem p -> {
                limit.head(p.shape());
                if (p.outputType() == DType.F64) {
                    limit.keysOfHead(p);
                }
            }
            case MultiHeadProblem p -> limit.multiHead(p);
            case LinearProblem p -> limit.product("the layer", p.rows(), p.in(), p.out());
            case SoftmaxProblem p -> limit.row(p.shape().get(p.axis()));
            case RotaryProblem p -> limit.row(p.headDim());
        }
        return limit.reasons;
    }

    private void head(AttentionShape s) {
        long width = Math.max(s.headDim(), s.valueHeadDim());
        if (width > WIDEST_HEAD) {
            reasons.add("a head of " + width + " elements > " + WIDEST_HEAD);
        }
    }

    /**
     * Checks the gradients of the keys of a head, one row per key. In f64, each row also needs room for the weights of one
     * panel of queries.
     */
    private void keysOfHead(AttentionProblem p) {
        AttentionShape s = p.shape();
        long width = Math.max(s.headDim(), s.valueHeadDim());
        long padded = p.outputType() == DType.F64 ? plus(width, PANEL / 2) : wholePanels(width);
        require("the gradients of the keys of a head", s.seqLenKv(), width, times(plus(s.seqLenKv(), PANEL), padded));
    }

    private void multiHead(MultiHeadProblem p) {
        AttentionShape s = p.attention().shape();
        head(s);
        keysOfHead(p.attention());
        long queries = times(s.batch(), s.seqLenQ());
        long keys = times(s.batch(), s.seqLenKv());
        product("the query projection", queries, p.embedQ(), times(s.numHeads(), s.headDim()));
        product("the key projection", keys, p.embedK(), times(s.numKvHeads(), s.headDim()));
        product("the value projection", keys, p.embedV(), times(s.numKvHeads(), s.valueHeadDim()));
        product("the output projection", queries, times(s.numHeads(), s.valueHeadDim()), p.embedOut());
    }

    /**
     * Checks the input, the weights and the result of a product. Their rows and columns are rounded up to whole panels,
     * because the forward or the backward pass may pack a matrix along either axis.
     */
    private void product(String name, long rows, long in, long out) {
        require("the input of " + name, rows, in);
        require("the weights of " + name, in, out);
        require("the result of " + name, rows, out);
    }

    private void row(long length) {
        if (length > LONGEST_ARRAY) {
            reasons.add("a row of " + length + " elements > " + LONGEST_ARRAY + ", the longest Java array");
        }
    }

    private void require(String name, long rows, long columns) {
        require(name, rows, columns, times(wholePanels(rows), wholePanels(columns)));
    }

    private void require(String name, long rows, long columns, long elements) {
        if (elements > LONGEST_ARRAY) {
            reasons.add(name + ": " + rows + " x " + columns + ", in panels "
                    + (elements == Long.MAX_VALUE ? "more elements than a long can count" : elements + " elements")
                    + " > " + LONGEST_ARRAY + ", the longest Java array");
        }
    }

    private static long wholePanels(long size) {
        return plus(size, PANEL - 1) / PANEL * PANEL;
    }

    /** {@return the sum of two positive numbers, or the largest long on overflow} */
    private static long plus(long a, long b) {
        return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
    }

    /** {@return the product of two positive numbers, or the largest long on overflow} */
    private static long times(long a, long b) {
        return Math.multiplyHigh(a, b) == 0 && a * b > 0 ? a * b : Long.MAX_VALUE;
    }
}
