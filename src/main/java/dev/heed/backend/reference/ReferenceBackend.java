package dev.heed.backend.reference;

import dev.heed.AttentionBackend;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import java.util.List;

/**
 * The reference backend, which computes every problem that fits Java arrays, with every option, in double arithmetic on the
 * caller's thread. Its code is simple rather than fast. Inputs are converted to double, and results are rounded once, to
 * their element type.
 */
public final class ReferenceBackend implements AttentionBackend {
    private static final long LONGEST_ROW = Integer.MAX_VALUE - 8;

    private volatile boolean closed;

    /** Creates the backend; it holds no resources. */
    public ReferenceBackend() {}

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public List<String> devices() {
        return closed ? List.of() : List.of("double arithmetic on the caller's thread");
    }

    @Override
    public List<String> notReadyReasons() {
        return closed ? List.of("the backend is closed: make a new one") : List.of();
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        long longest = switch (problem) {
            case AttentionProblem p -> longestRow(p);
            case MultiHeadProblem p -> Math.max(longestRow(p.attention()), largestMatrix(p));
            case SoftmaxProblem p -> p.shape().get(p.axis());
            case LinearProblem p -> Math.max(p.rows(), p.in()) * Math.max(p.in(), p.out());
            case RotaryProblem p -> p.headDim();
        };
        return longest <= LONGEST_ROW
                ? List.of()
                : List.of("a row of " + longest + " elements > " + LONGEST_ROW + ", the longest Java array");
    }

    private static long longestRow(AttentionProblem p) {
        return Math.max(
                Math.max(p.shape().seqLenKv(), p.shape().keyHeadDim()),
                Math.max(p.shape().headDim(), p.shape().valueHeadDim()));
    }

    private static long largestMatrix(MultiHeadProblem p) {
        var s = p.attention().shape();
        long widest = Math.max(Math.max(p.embedQ(), p.embedOut()), Math.max(p.embedK(), p.embedV()));
        long heads = s.numHeads() * Math.max(s.headDim(), s.valueHeadDim());
        return Math.max(widest, heads) * Math.max(s.batch() * Math.max(s.seqLenQ(), s.seqLenKv()), widest);
    }

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        requireReady(problem);
        return new ReferenceAttention(problem);
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        requireReady(problem);
        return new ReferenceSoftmax(problem);
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        requireReady(problem);
        return new ReferenceMultiHead(problem);
    }

    @Override
    public LinearPlan plan(LinearProblem problem) {
        requireReady(problem);
        return new ReferenceLinear(problem);
    }

    @Override
    public RotaryPlan plan(RotaryProblem problem) {
        requireReady(problem);
        return new ReferenceRotary(problem);
    }

    private void requireReady(Problem problem) {
        if (closed) {
            throw new IllegalStateException("Backend reference is closed.\n  case      " + problem
                    + "\nHINT: new ReferenceBackend() makes another");
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
