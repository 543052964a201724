package dev.heed.cli;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxProblem;
import dev.heed.mask.Mask;
import dev.heed.mask.MaskPattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/**
 * A check that a parsed case describes valid tensors. A bias of the wrong shape or a dropout of 2 is an error of the
 * user and must not look like a fault of a backend. The check uses tensors of one element that are expanded to the
 * shapes of the case.
 */
final class Feasibility {
    private static final long MOST_ELEMENTS = Integer.MAX_VALUE - 8;

    private static final double GIGABYTE = 1L << 30;

    /** Bytes that a Java array of one row needs in addition to its elements. */
    private static final int ROW = 20;

    private Feasibility() {}

    /**
     * Checks a problem.
     *
     * @throws InvalidInputException if no valid tensors have the shapes of the problem, or the tensors are too large to
     *     check
     */
    static void require(Problem problem) {
        switch (problem) {
            case AttentionProblem p -> attention(p);
            case MultiHeadProblem p -> {
                AttentionShape s = p.attention().shape();
                size(p, s.batch(), s.seqLenQ(), Math.max(p.embedQ(), p.embedOut()));
                size(p, s.batch(), s.seqLenKv(), Math.max(p.embedK(), p.embedV()));
                attention(p.attention());
            }
            case SoftmaxProblem p -> size(p, p.sizes());
            case LinearProblem p -> {
                size(p, p.rows(), Math.max(p.in(), p.out()));
                size(p, p.in(), p.out());
            }
            case RotaryProblem p -> size(p, p.batch(), p.numHeads(), p.seqLen(), p.headDim());
        }
    }

    private static void attention(AttentionProblem p) {
        AttentionShape s = p.shape();
        size(p, s.batch(), s.numHeads(), s.seqLenQ(), Math.max(s.headDim(), s.valueHeadDim()));
        size(p, s.batch(), s.numKvHeads(), s.seqLenKv(), Math.max(s.headDim(), s.valueHeadDim()));
        if (p.weights() || p.scores() != null) {
            size(p, s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        }
        List<Long> bias = p.biasShape();
        AttentionOptions options = AttentionOptions.DEFAULT
                .withDropout(p.dropout(), 0)
                .withSoftcap(p.softcap())
                .withTopK(p.topK())
                .withBias(bias == null ? null : standIn(p.type(), array(bias)))
                .withMask(mask(p));
        if (p.rows() < 0) {
            throw new InvalidInputException(
                    "The number of rows cannot be negative",
                    "rows >= 0",
                    "rows=" + p.rows(),
                    p.toString(),
                    "omit rows=");
        }
        try {
            AttentionInputs.of(
                    standIn(p.type(), s.batch(), s.numHeads(), s.seqLenQ(), s.headDim()),
                    standIn(p.type(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.headDim()),
                    standIn(p.type(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim()),
                    options);
        } catch (InvalidInputException e) {
            throw e.in(p.toString());
        }
    }

    private static Mask mask(AttentionProblem p) {
        return MaskPattern.parse(p.maskPattern(), new MaskPattern.Data() {
            @Override
            public long[] keyLengths() {
                return new long[Math.toIntExact(p.shape().batch())];
            }

            @Override
            public Tensor dense(long... shape) {
                return standIn(DType.BOOL, shape);
            }
        });
    }

    private static Tensor standIn(DType type, long... shape) {
        return Tensor.zeros(type, 1).expand(shape);
    }

    private static long[] array(List<Long> sizes) {
        return sizes.stream().mapToLong(Long::longValue).toArray();
    }

    /**
     * Checks that the heap is large enough to compare a problem with the reference: the comparison stores the tensors
     * in their own type and as doubles. For attention, the reference also copies the key and value rows of one head.
     *
     * @throws InvalidInputException if the heap is too small; the message names a sufficient size
     */
    static void requireHeap(Problem problem, long heap) {
        double least = leastHeap(problem);
        if (least > heap) {
            throw new InvalidInputException(
                    "The check of this case does not fit the heap",
                    String.format(Locale.ROOT, "%.1f GB or more", least / GIGABYTE),
                    String.format(Locale.ROOT, "%.1f GB", heap / GIGABYTE),
                    problem.toString(),
                    "HEED_JAVA_OPTS=-Xmx" + (long) Math.ceil(1.2 * least / GIGABYTE) + "g, or fewer keys");
        }
    }

    private static double leastHeap(Problem problem) {
        return switch (problem) {
            case AttentionProblem p -> {
                AttentionShape s = p.shape();
                double cells = (double) s.batch() * s.numHeads() * s.seqLenQ() * s.seqLenKv();
                double queries = (double) s.batch() * s.numHeads() * s.seqLenQ() * (s.headDim() + s.valueHeadDim());
                double keys = (double) s.batch() * s.numKvHeads() * s.seqLenKv() * (s.keyHeadDim() + s.valueHeadDim());
                double optional = (p.weights() ? cells : 0) + (p.scores() != null ? cells : 0);
                double rows = s.seqLenKv() * (Double.BYTES * (double) (s.keyHeadDim() + s.valueHeadDim()) + 2 * ROW);
                yield twice(p.type(), queries + keys + optional) + rows;
            }
            case MultiHeadProblem p -> leastHeap(p.attention());
            case SoftmaxProblem p -> twice(p.type(), 2 * elements(p.sizes()));
            case LinearProblem p -> twice(p.type(), elements(p.rows(), p.in() + p.out()) + elements(p.in(), p.out()));
            case RotaryProblem p -> twice(p.type(), 2 * elements(p.batch(), p.numHeads(), p.seqLen(), p.headDim()));
        };
    }

    /** {@return the bytes of {@code elements} elements in their own type and as doubles} */
    private static double twice(DType type, double elements) {
        return elements * (type.bytes() + Double.BYTES);
    }

    private static double elements(long... shape) {
        return LongStream.of(shape).asDoubleStream().reduce(1, (a, b) -> a * b);
    }

    /** Requires that a tensor fits in a Java array of doubles, in which the comparison with the reference stores it. */
    private static void size(Problem problem, long... shape) {
        double elements = elements(shape);
        if (elements > MOST_ELEMENTS) {
            throw new InvalidInputException(
                    "The case is too large to check",
                    "tensors of at most " + MOST_ELEMENTS + " elements",
                    String.format(Locale.ROOT, "%.3g elements", elements),
                    problem.toString(),
                    "a smaller batch, or fewer heads");
        }
    }
}
