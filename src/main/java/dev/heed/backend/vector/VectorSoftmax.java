package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;

import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.vector.f64.F64Lanes;
import dev.heed.backend.vector.f64.F64Rows;
import dev.heed.backend.vector.f64.F64Scratch;
import dev.heed.backend.vector.f64.F64SoftmaxRow;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.RowCursor;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;

/** The plan of softmax and log-softmax; blocks of rows run in parallel. */
final class VectorSoftmax extends SoftmaxPlan {
    private static final long ELEMENTS_PER_TASK = 1 << 16;

    private final Workers workers;

    VectorSoftmax(SoftmaxProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " softmax, " + workers.describe();
    }

    @Override
    protected void runForward(Tensor input, Tensor output) {
        RowCursor in = new RowCursor(input, problem().axis());
        RowCursor out = new RowCursor(output, problem().axis());
        int length = in.length();
        float[] from = in.array();
        float[] to = out.array();
        int fromAt = (int) (input.segment().address() / Float.BYTES); // offset of the segment in its array, if any
        int toOffset = (int) (output.segment().address() / Float.BYTES);
        forRows(workers.allowedBy(List.of(input, output)), in, (first, end, scratch) -> {
            if (problem().type() == DType.F64) {
                runF64(input, output, in, out, first, end, scratch);
                return;
            }
            scratch.row = ArrayGrowth.atLeast(scratch.row, Lanes.ROW_ROOM);
            float max = 0;
            for (long row = first; row < end; row++) {
                float[] x = from;
                int at = fromAt + (int) in.position(row);
                if (x == null) {
                    x = scratch.tile = ArrayGrowth.atLeast(scratch.tile, length);
                    at = 0;
                    Rows.read(input, in.position(row), in.stride(), x, 0, length);
                }
                float[] y = to;
                int put = toOffset + (int) out.position(row);
                if (y == null) {
                    y = scratch.tileToo = ArrayGrowth.atLeast(scratch.tileToo, length);
                    put = 0;
                }
                if (row == first || from == null) {
                    max = KERNELS.maxOfRow(x, at, length);
                }
                int next = from != null && row + 1 < end ? fromAt + (int) in.position(row + 1) : at;
                max = problem().log()
                        ? KERNELS.logSoftmax(x, at, y, put, length, max, next, scratch.row)
                        : KERNELS.softmax(x, at, y, put, length, max, next, scratch.row);
                if (to == null) {
                    Rows.write(y, put, output, out.position(row), out.stride(), length);
                }
            }
        });
    }

    private void runF64(
            Tensor input, Tensor output, RowCursor in, RowCursor out, long first, long end, Scratch scratch) {
        int length = in.length();
        F64Scratch memory = F64Scratch.of(scratch);
        double[] row64 = memory.row = ArrayGrowth.atLeast(memory.row, F64Lanes.lanes(length));
        for (long row = first; row < end; row++) {
            F64Rows.read(input, in.position(row), in.stride(), row64, 0, length);
            F64SoftmaxRow.softmax(row64, length, problem().log());
            F64Rows.write(row64, 0, output, out.position(row), out.stride(), length);
        }
    }

    @Override
    protected void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        RowCursor y = new RowCursor(output, problem().axis());
        RowCursor dy = new RowCursor(outputGradient, problem().axis());
        RowCursor dx = new RowCursor(inputGradient, problem().axis());
        int length = y.length();
        Workers allowed = workers.allowedBy(List.of(output, outputGradient, inputGradient));
        forEachRow(allowed, y, (row, scratch) -> {
            if (problem().type() == DType.F64) {
                F64Scratch memory = F64Scratch.of(scratch);
                double[] row64 = memory.row = ArrayGrowth.atLeast(memory.row, length);
                double[] gradient = memory.rowToo = ArrayGrowth.atLeast(memory.rowToo, length);
                F64Rows.read(output, y.position(row), y.stride(), row64, 0, length);
                F64Rows.read(outputGradient, dy.position(row), dy.stride(), gradient, 0, length);
                F64SoftmaxRow.gradient(row64, gradient, length, problem().log());
                F64Rows.write(gradient, 0, inputGradient, dx.position(row), dx.stride(), length);
                return;
            }
            scratch.tile = ArrayGrowth.atLeast(scratch.tile, length);
            scratch.tileToo = ArrayGrowth.atLeast(scratch.tileToo, length);
            Rows.read(output, y.position(row), y.stride(), scratch.tile, 0, length);
            Rows.read(outputGradient, dy.position(row), dy.stride(), scratch.tileToo, 0, length);
            gradient(scratch.tile, scratch.tileToo, length, problem().log());
            Rows.write(scratch.tileToo, 0, inputGradient, dx.position(row), dx.stride(), length);
        });
    }

    private interface RowsVisitor {
        void visit(long first, long end, Scratch scratch);
    }

    private static void forRows(Workers workers, RowCursor rows, RowsVisitor visitor) {
        long perTask = Math.max(1, ELEMENTS_PER_TASK / rows.length());
        int tasks = Math.toIntExact((rows.count() + perTask - 1) / perTask);
        workers.run(
                tasks,
                (task, scratch) ->
                        visitor.visit(task * perTask, Math.min(rows.count(), (task + 1) * perTask), scratch));
    }

    private static void forEachRow(Workers workers, RowCursor rows, RowVisitor visitor) {
        forRows(workers, rows, (first, end, scratch) -> {
            for (long row = first; row < end; row++) {
                visitor.visit(row, scratch);
            }
        });
    }

    private interface RowVisitor {
        void visit(long row, Scratch scratch);
    }

    /** Replaces {@code dy} with {@code dx = y (dy - sum(dy y))}, or with {@code dy - e^y sum(dy)} for log-softmax. */
    private static void gradient(float[] y, float[] dy, int length, boolean log) {
        double sum = 0;
        boolean empty = log;
        for (int i = 0; i < length; i++) {
            empty &= y[i] == Float.NEGATIVE_INFINITY;
            sum += log ? dy[i] : (double) dy[i] * y[i];
        }
        float total = (float) sum;
        for (int i = 0; i < length; i++) {
            dy[i] = empty ? 0 : log ? dy[i] - (float) Math.exp(y[i]) * total : y[i] * (dy[i] - total);
        }
    }
}
