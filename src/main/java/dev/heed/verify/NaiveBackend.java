package dev.heed.verify;

import dev.heed.AttentionBackend;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * The naive backend: the textbook formulas in f32, with plain loops. {@link ErrorBudget} compares the errors of other
 * backends with the errors of this backend, which tables of benchmarks list as {@code naive}. It is not registered as a
 * service.
 */
public final class NaiveBackend implements AttentionBackend {
    /** Creates the backend; it holds no resources. */
    public NaiveBackend() {}

    @Override
    public String name() {
        return "naive";
    }

    @Override
    public int priority() {
        return -1;
    }

    @Override
    public List<String> devices() {
        return List.of("f32 arithmetic on the caller's thread");
    }

    @Override
    public List<String> notReadyReasons() {
        return List.of();
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        return List.of();
    }

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        return new NaiveAttention(problem);
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        return new NaiveMultiHead(problem);
    }

    @Override
    public LinearPlan plan(LinearProblem problem) {
        return new NaiveLinear(problem);
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        return new SoftmaxPlan(problem) {
            @Override
            public String describe() {
                return "naive softmax, f32";
            }

            @Override
            protected void runForward(Tensor input, Tensor output) {
                softmax(
                        problem(),
                        input.transpose(problem().axis(), -1),
                        output.transpose(problem().axis(), -1));
            }

            @Override
            protected void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
                int axis = problem().axis();
                softmaxBackward(
                        problem(),
                        output.transpose(axis, -1),
                        outputGradient.transpose(axis, -1),
                        inputGradient.transpose(axis, -1));
            }
        };
    }

    private static void softmax(SoftmaxProblem problem, Tensor in, Tensor out) {
        if (in.rank() > 1) {
            for (long i = 0; i < in.size(0); i++) {
                softmax(problem, in.select(0, i), out.select(0, i));
            }
            return;
        }
        float[] x = in.toFloatArray();
        float max = Float.NEGATIVE_INFINITY;
        for (float value : x) {
            max = Math.max(max, value);
        }
        float sum = 0;
        for (float value : x) {
            sum += (float) Math.exp(value - max);
        }
        for (int i = 0; i < x.length; i++) {
            float shifted = x[i] - max;
            float y = problem.log() ? shifted - (float) Math.log(sum) : (float) Math.exp(shifted) / sum;
            out.set(max == Float.NEGATIVE_INFINITY ? (problem.log() ? max : 0) : y, i);
        }
    }

    private static void softmaxBackward(SoftmaxProblem problem, Tensor out, Tensor outGradient, Tensor inGradient) {
        if (out.rank() > 1) {
            for (long i = 0; i < out.size(0); i++) {
                softmaxBackward(problem, out.select(0, i), outGradient.select(0, i), inGradient.select(0, i));
            }
            return;
        }
        float[] y = out.toFloatArray();
        float[] dy = outGradient.toFloatArray();
        float sum = 0;
        boolean empty = problem.log();
        for (int i = 0; i < y.length; i++) {
            empty &= y[i] == Float.NEGATIVE_INFINITY;
            sum += problem.log() ? dy[i] : dy[i] * y[i];
        }
        for (int i = 0; i < y.length; i++) {
            inGradient.set(empty ? 0 : problem.log() ? dy[i] - (float) Math.exp(y[i]) * sum : y[i] * (dy[i] - sum), i);
        }
    }

    @Override
    public RotaryPlan plan(RotaryProblem problem) {
        return new RotaryPlan(problem) {
            @Override
            public String describe() {
                return "naive rotary embedding, f32";
            }

            @Override
            protected void run(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
                rotate(inputs, from, to, direction);
            }
        };
    }

    private static void rotate(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        RotaryProblem p = inputs.problem();
        Tensor positions = inputs.positions();
        to.copyFrom(from);
        long half = p.rotaryDim() / 2;
        for (long b = 0; b < p.batch(); b++) {
            for (long h = 0; h < p.numHeads(); h++) {
                for (long s = 0; s < p.seqLen(); s++) {
                    for (long i = 0; i < half; i++) {
                        long first = p.interleaved() ? 2 * i : i;
                        long second = p.interleaved() ? 2 * i + 1 : i + half;
                        long[] at =
                                positions == null ? new long[] {b, s, i} : new long[] {(long) positions.get(b, s), i};
                        float cos = (float) inputs.cos().get(at);
                        float sin = direction * (float) inputs.sin().get(at);
                        float x = (float) from.get(b, h, s, first);
                        float y = (float) from.get(b, h, s, second);
                        to.set(x * cos - y * sin, b, h, s, first);
                        to.set(x * sin + y * cos, b, h, s, second);
                    }
                }
            }
        }
    }
}
