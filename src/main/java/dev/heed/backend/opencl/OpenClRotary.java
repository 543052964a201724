package dev.heed.backend.opencl;

import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;

/** Rotary position embedding on an OpenCL device. */
final class OpenClRotary extends RotaryPlan {
    private static final int LONGS = 16;

    private final Engine engine;

    OpenClRotary(RotaryProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
    }

    @Override
    public String describe() {
        return "opencl rotary embedding, " + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void run(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        engine.guarded(problem(), () -> turn(inputs, from, to, direction));
    }

    private void turn(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        RotaryProblem p = problem();
        try (var results = new Results(engine);
                var work = new Work(engine, p.type() == DType.F64)) {
            Placed x = work.upload(from);
            Placed y = work.place(p.type(), p.batch(), p.numHeads(), p.seqLen(), p.headDim());
            Tensor positions = inputs.positions();
            Arguments struct = new Arguments(LONGS, 0, work.wide)
                    .put(x.at(), x.stride(0), x.stride(1), x.stride(2))
                    .put(y.at(), y.stride(0), y.stride(1), y.stride(2))
                    .put(p.batch(), p.numHeads(), p.seqLen(), p.headDim(), p.rotaryDim())
                    .put(p.interleaved())
                    .put(positions != null)
                    .put(direction);
            work.launch(
                    "rotary",
                    "-DSTORAGE=" + Engine.storage(p.type()) + work.widths(),
                    "rotary",
                    WorkSize.covering(y.count(), work.group()),
                    struct,
                    x.buffer(),
                    y.buffer(),
                    work.upload(inputs.cos(), work.real()).buffer(),
                    work.upload(inputs.sin(), work.real()).buffer(),
                    positions == null ? work.nothing() : work.uploadIndices(positions));
            Results.read(work, y, results.of(to));
            results.deliver();
        }
    }
}
