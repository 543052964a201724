package dev.heed.backend.reference;

import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.Tensor;

/** Softmax and log-softmax in double, one row at a time. */
final class ReferenceSoftmax extends SoftmaxPlan {
    ReferenceSoftmax(SoftmaxProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "reference softmax, double, one row at a time";
    }

    @Override
    protected void runForward(Tensor input, Tensor output) {
        forwardRows(axisLast(input), axisLast(output));
    }

    @Override
    protected void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        backwardRows(axisLast(output), axisLast(outputGradient), axisLast(inputGradient));
    }

    private Tensor axisLast(Tensor tensor) {
        return tensor.transpose(problem().axis(), -1);
    }

    private void forwardRows(Tensor in, Tensor out) {
        if (in.rank() > 1) {
            for (long i = 0; i < in.size(0); i++) {
                forwardRows(in.select(0, i), out.select(0, i));
            }
            return;
        }
        double[] x = in.toDoubleArray();
        double max = Double.NEGATIVE_INFINITY;
        for (double value : x) {
            max = Math.max(max, value);
        }
        var sum = new CompensatedSum();
        for (double value : x) {
            sum.add(Math.exp(value - max));
        }
        boolean empty = max == Double.NEGATIVE_INFINITY;
        for (int i = 0; i < x.length; i++) {
            double y = problem().log() ? x[i] - max - Math.log(sum.value()) : Math.exp(x[i] - max) / sum.value();
            out.set(empty ? (problem().log() ? max : 0) : y, i);
        }
    }

    private void backwardRows(Tensor y, Tensor dy, Tensor dx) {
        if (y.rank() > 1) {
            for (long i = 0; i < y.size(0); i++) {
                backwardRows(y.select(0, i), dy.select(0, i), dx.select(0, i));
            }
            return;
        }
        var sum = new CompensatedSum();
        boolean empty = problem().log();
        for (long i = 0; i < y.size(0); i++) {
            empty &= y.get(i) == Double.NEGATIVE_INFINITY;
            sum.addProduct(dy.get(i), problem().log() ? 1 : y.get(i));
        }
        for (long i = 0; i < y.size(0); i++) {
            dx.set(
                    empty
                            ? 0
                            : problem().log()
                                    ? dy.get(i) - Math.exp(y.get(i)) * sum.value()
                                    : y.get(i) * (dy.get(i) - sum.value()),
                    i);
        }
    }
}
