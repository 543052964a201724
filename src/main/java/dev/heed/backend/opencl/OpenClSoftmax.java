package dev.heed.backend.opencl;

import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/** Softmax on an OpenCL device: rows without gaps, in chunks; one launch leaves each chunk's state, the next one writes. */
final class OpenClSoftmax extends SoftmaxPlan {
    private static final long GPU_GROUP = 64;
    private static final long LONGEST_CHUNK = 16384;

    private final Engine engine;
    private final long length;

    OpenClSoftmax(SoftmaxProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
        this.length = problem.sizes()[problem.axis()];
    }

    @Override
    public String describe() {
        return "opencl softmax, " + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void runForward(Tensor input, Tensor output) {
        engine.guarded(problem(), () -> weigh(input, output));
    }

    private void weigh(Tensor input, Tensor output) {
        try (var results = new Results(engine);
                var work = new Work(engine, problem().type() == DType.F64)) {
            Placed from = work.upload(rows(input), problem().type());
            Placed to = work.place(problem().type(), from.shape());
            DeviceBuffer states = launch(work, "softmax_states", from, from.buffer());
            write(work, "softmax_write", from.buffer(), states, to.buffer());
            Results.read(work, to, rows(results.of(output)));
            results.deliver();
        }
    }

    @Override
    protected void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        engine.guarded(problem(), () -> flowBack(output, outputGradient, inputGradient));
    }

    private void flowBack(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        try (var results = new Results(engine);
                var work = new Work(engine, problem().type() == DType.F64)) {
            Placed y = work.upload(rows(output), problem().type());
            Placed dy = work.upload(rows(outputGradient), problem().type());
            Placed dx = work.place(problem().type(), y.shape());
            DeviceBuffer states = launch(work, "softmax_flows", y, y.buffer(), dy.buffer());
            write(work, "softmax_gradient", y.buffer(), dy.buffer(), states, dx.buffer());
            Results.read(work, dx, rows(results.of(inputGradient)));
            results.deliver();
        }
    }

    private Tensor rows(Tensor tensor) {
        return tensor.transpose(problem().axis(), -1);
    }

    private String options(Work work) {
        boolean lanes = engine.family == Engine.Family.LANES;
        return "-DSTORAGE=" + Engine.storage(problem().type()) + work.widths() + " -DLOGARITHM="
                + (problem().log() ? 1 : 0)
                + (lanes ? " -DGROUP=1 -DLANES=" + engine.lanes(work.wide) : " -DLANES=1 -DGROUP=" + GPU_GROUP);
    }

    private long chunk() {
        return Math.min(length, LONGEST_CHUNK);
    }

    private WorkSize groups() {
        long rows = Arrays.stream(problem().sizes()).reduce(1, (a, b) -> a * b) / length;
        long group = engine.family == Engine.Family.LANES ? 1 : GPU_GROUP;
        return WorkSize.groups(rows * Math.ceilDiv(length, chunk()), group);
    }

    private DeviceBuffer launch(Work work, String kernel, Placed like, DeviceBuffer... inputs) {
        DeviceBuffer states = work.reals(2 * like.count() / length * Math.ceilDiv(length, chunk()));
        Object[] arguments = new Object[inputs.length + 3];
        System.arraycopy(inputs, 0, arguments, 0, inputs.length);
        arguments[inputs.length] = states;
        arguments[inputs.length + 1] = length;
        arguments[inputs.length + 2] = chunk();
        work.launch("softmax", options(work), kernel, groups(), arguments);
        return states;
    }

    private void write(Work work, String kernel, DeviceBuffer... buffers) {
        Object[] arguments = new Object[buffers.length + 2];
        System.arraycopy(buffers, 0, arguments, 0, buffers.length);
        arguments[buffers.length] = length;
        arguments[buffers.length + 1] = chunk();
        work.launch("softmax", options(work), kernel, groups(), arguments);
    }
}
