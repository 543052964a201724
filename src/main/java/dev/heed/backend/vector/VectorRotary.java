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
 * The plan of rotary position embedding. Heads run in parallel; the iterations of the inner loop are independent, so
 * the JIT vectorises it.
 */
final class VectorRotary extends RotaryPlan {
    private final Workers workers;

    VectorRotary(RotaryProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " rotary embedding, " + workers.describe();
    }

    @Override
    protected void run(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        RotaryProblem p = problem();
        Workers allowed = workers.allowedBy(Arrays.asList(from, to, inputs.cos(), inputs.sin(), inputs.positions()));
        allowed.run(Math.toIntExact(p.batch() * p.numHeads()), (task, scratch) -> {
            long batch = task / p.numHeads();
            long head = task % p.numHeads();
            for (long s = 0; s < p.seqLen(); s++) {
                if (p.type() == DType.F64) {
                    rotateF64(inputs, from, to, direction, batch, head, s, F64Scratch.of(scratch));
                } else {
                    rotate(inputs, from, to, direction, batch, head, s, scratch);
                }
            }
        });
    }

    private void rotate(
            RotaryInputs inputs,
            Tensor from,
            Tensor to,
            int direction,
            long batch,
            long head,
            long s,
            Scratch scratch) {
        RotaryProblem p = problem();
        int width = (int) p.headDim();
        int half = (int) p.rotaryDim() / 2;
        float[] x = scratch.row = ArrayGrowth.atLeast(scratch.row, width);
        float[] y = scratch.sums = ArrayGrowth.atLeast(scratch.sums, width);
        float[] cos = scratch.tile = ArrayGrowth.atLeast(scratch.tile, half);
        float[] sin = scratch.tileToo = ArrayGrowth.atLeast(scratch.tileToo, half);
        Rows.read(from, from.position(batch, head, s, 0), from.stride(3), x, 0, width);
        angles(inputs.cos(), inputs.positions(), batch, s, cos, half);
        angles(inputs.sin(), inputs.positions(), batch, s, sin, half);
        System.arraycopy(x, 0, y, 0, width);
        int step = p.interleaved() ? 2 : 1;
        int apart = p.interleaved() ? 1 : half;
        for (int i = 0; i < half; i++) {
            float a = x[i * step];
            float b = x[i * step + apart];
            y[i * step] = a * cos[i] - b * direction * sin[i];
            y[i * step + apart] = a * direction * sin[i] + b * cos[i];
        }
        Rows.write(y, 0, to, to.position(batch, head, s, 0), to.stride(3), width);
    }

    /** Rotates like {@link #rotate}, in f64. */
    private void rotateF64(
            RotaryInputs inputs,
            Tensor from,
            Tensor to,
            int direction,
            long batch,
            long head,
            long s,
            F64Scratch scratch) {
        RotaryProblem p = problem();
        int width = (int) p.headDim();
        int half = (int) p.rotaryDim() / 2;
        double[] x = scratch.row = ArrayGrowth.atLeast(scratch.row, width);
        double[] angles = scratch.rowToo = ArrayGrowth.atLeast(scratch.rowToo, 2 * half);
        F64Rows.read(from, from.position(batch, head, s, 0), from.stride(3), x, 0, width);
        Tensor cos = row(inputs.cos(), inputs.positions(), batch, s);
        Tensor sin = row(inputs.sin(), inputs.positions(), batch, s);
        F64Rows.read(cos, cos.offset(), cos.stride(0), angles, 0, half);
        F64Rows.read(sin, sin.offset(), sin.stride(0), angles, half, half);
        int step = p.interleaved() ? 2 : 1;
        int apart = p.interleaved() ? 1 : half;
        for (int i = 0; i < half; i++) {
            double a = x[i * step];
            double b = x[i * step + apart];
            double rotate = angles[half + i] * direction;
            x[i * step] = a * angles[i] - b * rotate;
            x[i * step + apart] = a * rotate + b * angles[i];
        }
        F64Rows.write(x, 0, to, to.position(batch, head, s, 0), to.stride(3), width);
    }

    private static void angles(Tensor table, @Nullable Tensor positions, long batch, long s, float[] into, int half) {
        Tensor row = row(table, positions, batch, s);
        Rows.read(row, row.offset(), row.stride(0), into, 0, half);
    }

    private static Tensor row(Tensor table, @Nullable Tensor positions, long batch, long s) {
        return positions == null
                ? table.select(0, batch).select(0, s)
                : table.select(0, (long) positions.get(batch, s));
    }
}
