package dev.heed.backend.vector;

import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.backend.vector.f64.F64Rows;
import dev.heed.backend.vector.f64.F64Scratch;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The plan of rotary position embedding. A task is some positions of one batch entry: the angles of a position are read once for
 * all heads. The loop over the pairs of a row reads and writes arrays at the same index, so the JIT vectorises it.
 */
final class VectorRotary extends RotaryPlan {
    /** Minimum elements per task. Another thread wakes up in the time in which one thread rotates this number. */
    private static final long FEWEST = 1 << 15;

    private final Workers workers;
    private final int half;
    private final int positionsPerTask;

    VectorRotary(RotaryProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
        this.half = (int) problem.rotaryDim() / 2;
        long elements = problem.numHeads() * problem.headDim();
        this.positionsPerTask = (int) Math.min(problem.seqLen(), Math.ceilDiv(FEWEST, elements));
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " rotary embedding, " + workers.describe();
    }

    @Override
    protected void run(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        RotaryProblem p = problem();
        Workers allowed = workers.allowedBy(Arrays.asList(from, to, inputs.cos(), inputs.sin(), inputs.positions()));
        int tasks = Math.toIntExact(Math.ceilDiv(p.seqLen(), positionsPerTask));
        allowed.run(Math.toIntExact(p.batch() * tasks), (task, scratch) -> {
            long batch = task / tasks;
            long first = (long) (task % tasks) * positionsPerTask;
            for (long s = first; s < Math.min(p.seqLen(), first + positionsPerTask); s++) {
                if (p.type() == DType.F64) {
                    rotateF64(inputs, from, to, direction, batch, s, F64Scratch.of(scratch));
                } else {
                    rotate(inputs, from, to, direction, batch, s, scratch);
                }
            }
        });
    }

    /** Rotates the rows of all heads at one position. */
    private void rotate(
            RotaryInputs inputs, Tensor from, Tensor to, int direction, long batch, long s, Scratch scratch) {
        RotaryProblem p = problem();
        float[] cos = scratch.tile = ArrayGrowth.atLeast(scratch.tile, half);
        float[] sin = scratch.tileToo = ArrayGrowth.atLeast(scratch.tileToo, half);
        float[] x = scratch.row = ArrayGrowth.atLeast(scratch.row, (int) p.headDim());
        float[] y = scratch.sums = ArrayGrowth.atLeast(scratch.sums, half);
        Rows.read(
                inputs.cos(),
                angles(inputs.cos(), inputs.positions(), batch, s),
                inputs.cos().stride(-1),
                cos,
                0,
                half);
        Rows.read(
                inputs.sin(),
                angles(inputs.sin(), inputs.positions(), batch, s),
                inputs.sin().stride(-1),
                sin,
                0,
                half);
        for (int i = 0; direction < 0 && i < half; i++) {
            sin[i] = -sin[i];
        }
        long step = from.stride(3);
        long toStep = to.stride(3);
        int rest = (int) p.headDim() - 2 * half;
        for (long head = 0; head < p.numHeads(); head++) {
            long here = from.position(batch, head, s, 0);
            long there = to.position(batch, head, s, 0);
            if (p.interleaved()) {
                Rows.read(from, here, step, x, 0, 2 * half);
                rotatePairs(x, cos, sin, half);
                Rows.write(x, 0, to, there, toStep, 2 * half);
            } else {
                Rows.read(from, here, step, x, 0, half);
                Rows.read(from, here + half * step, step, y, 0, half);
                rotateHalves(x, y, cos, sin, half);
                Rows.write(x, 0, to, there, toStep, half);
                Rows.write(y, 0, to, there + half * toStep, toStep, half);
            }
            if (rest > 0) {
                Rows.read(from, here + 2 * half * step, step, x, 0, rest);
                Rows.write(x, 0, to, there + 2 * half * toStep, toStep, rest);
            }
        }
    }

    private static void rotateHalves(float[] x, float[] y, float[] cos, float[] sin, int half) {
        for (int i = 0; i < half; i++) {
            float a = x[i];
            float b = y[i];
            x[i] = a * cos[i] - b * sin[i];
            y[i] = a * sin[i] + b * cos[i];
        }
    }

    private static void rotatePairs(float[] x, float[] cos, float[] sin, int half) {
        for (int i = 0; i < half; i++) {
            float a = x[2 * i];
            float b = x[2 * i + 1];
            x[2 * i] = a * cos[i] - b * sin[i];
            x[2 * i + 1] = a * sin[i] + b * cos[i];
        }
    }

    /** Rotates like {@link #rotate}, in f64. */
    private void rotateF64(
            RotaryInputs inputs, Tensor from, Tensor to, int direction, long batch, long s, F64Scratch scratch) {
        RotaryProblem p = problem();
        int width = (int) p.headDim();
        double[] x = scratch.row = ArrayGrowth.atLeast(scratch.row, width);
        double[] angles = scratch.rowToo = ArrayGrowth.atLeast(scratch.rowToo, 2 * half);
        Tensor cos = inputs.cos();
        Tensor sin = inputs.sin();
        F64Rows.read(cos, angles(cos, inputs.positions(), batch, s), cos.stride(-1), angles, 0, half);
        F64Rows.read(sin, angles(sin, inputs.positions(), batch, s), sin.stride(-1), angles, half, half);
        int step = p.interleaved() ? 2 : 1;
        int apart = p.interleaved() ? 1 : half;
        for (long head = 0; head < p.numHeads(); head++) {
            F64Rows.read(from, from.position(batch, head, s, 0), from.stride(3), x, 0, width);
            for (int i = 0; i < half; i++) {
                double a = x[i * step];
                double b = x[i * step + apart];
                double rotate = angles[half + i] * direction;
                x[i * step] = a * angles[i] - b * rotate;
                x[i * step + apart] = a * rotate + b * angles[i];
            }
            F64Rows.write(x, 0, to, to.position(batch, head, s, 0), to.stride(3), width);
        }
    }

    /** {@return the position of the first angle of a row of a table} */
    private static long angles(Tensor table, @Nullable Tensor positions, long batch, long s) {
        return positions == null ? table.position(batch, s, 0) : table.position((long) positions.get(batch, s), 0);
    }
}
