package dev.heed.backend.opencl.plan;

import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.backend.opencl.device.Arguments;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The plan of a rotary position embedding on an OpenCL device. */
public final class OpenClRotary extends RotaryPlan {
    private static final int LONGS = 16;

    private final Engine engine;

    public OpenClRotary(RotaryProblem problem, Engine engine) {
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
        engine.guarded(problem(), () -> rotate(inputs, from, to, direction));
    }

    private void rotate(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        try (var results = new Results(engine)) {
            rotate(inputs.cos(), inputs.sin(), inputs.positions(), from, results.of(to), direction);
            results.deliver();
        }
    }

    /** Rotates a tensor. If it does not fit the device, halves it along the batch, then the heads, then the positions. */
    private void rotate(Tensor cos, Tensor sin, @Nullable Tensor positions, Tensor from, Tensor to, int direction) {
        int axis = from.size(0) > 1 ? 0 : from.size(1) > 1 ? 1 : 2;
        if (from.device() != null || from.size(axis) == 1 || fits(from, cos, positions)) {
            launch(cos, sin, positions, from, to, direction);
            return;
        }
        long middle = from.size(axis) / 2;
        for (int half = 0; half < 2; half++) {
            long first = half == 0 ? 0 : middle;
            long last = half == 0 ? middle : from.size(axis);
            // A half of the batch or of the positions needs only some rows of the tables.
            boolean cutsTables = axis != 1;
            Tensor halfPositions =
                    positions == null || !cutsTables ? positions : positions.slice(axis == 0 ? 0 : 1, first, last);
            rotate(
                    cutsTables ? rows(cos, halfPositions, axis, first, last) : cos,
                    cutsTables ? rows(sin, halfPositions, axis, first, last) : sin,
                    cutsTables ? null : halfPositions,
                    from.slice(axis, first, last),
                    to.slice(axis, first, last),
                    direction);
        }
    }

    private boolean fits(Tensor from, Tensor table, @Nullable Tensor positions) {
        long element = problem().type() == DType.F64 ? Double.BYTES : Float.BYTES;
        long count = from.elementCount();
        long angles = 2 * table.elementCount() + (positions == null ? 0 : positions.elementCount());
        return engine.hasRoom((2 * count + angles) * element, Math.max(count, angles) * element);
    }

    /** {@return {@code [batch, positions, rotaryDim / 2]}: the rows of a table that the given half of an axis needs} */
    private static Tensor rows(Tensor table, @Nullable Tensor positions, int axis, long first, long last) {
        if (positions == null) {
            return table.slice(axis == 0 ? 0 : 1, first, last);
        }
        Tensor rows = Tensor.zeros(table.type(), positions.size(0), positions.size(1), table.size(1));
        for (long b = 0; b < positions.size(0); b++) {
            for (long s = 0; s < positions.size(1); s++) {
                long at = (long) positions.get(b, s);
                rows.select(0, b).slice(0, s, s + 1).copyFrom(table.slice(0, at, at + 1));
            }
        }
        return rows;
    }

    private void launch(Tensor cos, Tensor sin, @Nullable Tensor positions, Tensor from, Tensor to, int direction) {
        RotaryProblem p = problem();
        try (var scope = new CallScope(engine, p.type() == DType.F64)) {
            DeviceTensor x = scope.upload(from);
            DeviceTensor y = scope.allocate(p.type(), from.shape());
            Arguments struct = new Arguments(LONGS, 0, scope.f64)
                    .put(x.at(), x.stride(0), x.stride(1), x.stride(2))
                    .put(y.at(), y.stride(0), y.stride(1), y.stride(2))
                    .put(y.size(0), y.size(1), y.size(2), p.headDim(), p.rotaryDim())
                    .put(p.interleaved())
                    .put(positions != null)
                    .put(direction);
            scope.launch(
                    "rotary",
                    "-DSTORAGE=" + StorageCode.of(p.type()) + scope.realOption(),
                    "rotary",
                    WorkSize.covering(y.count(), scope.group()),
                    struct,
                    x.buffer(),
                    y.buffer(),
                    scope.upload(cos, scope.real()).buffer(),
                    scope.upload(sin, scope.real()).buffer(),
                    positions == null ? scope.nothing() : scope.uploadIndices(positions));
            Results.read(scope, y, to);
        }
    }
}
