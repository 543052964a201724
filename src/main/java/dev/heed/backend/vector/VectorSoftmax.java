package dev.heed.backend.vector;

import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;

/** Softmax and log-softmax, blocks of rows in parallel. */
final class VectorSoftmax extends SoftmaxPlan {
    private static final long ELEMENTS_PER_TASK = 1 << 15;

    private final Workers workers;

    VectorSoftmax(SoftmaxProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        return "vector softmax, " + workers.threads() + " threads";
    }

    @Override
    protected void runForward(Tensor input, Tensor output) {
        RowCursor in = new RowCursor(input, problem().axis());
        RowCursor out = new RowCursor(output, problem().axis());
        int length = in.length();
        forEachRow(workers.allowedBy(List.of(input, output)), in, (row, scratch) -> {
            if (problem().type() == DType.F64) {
                double[] wide = scratch.wide.row = WideScratch.atLeast(scratch.wide.row, WideLanes.lanes(length));
                WideRows.read(input, in.position(row), in.stride(), wide, 0, length);
                WideSoftmaxRow.softmax(wide, length, problem().log());
                WideRows.write(wide, 0, output, out.position(row), out.stride(), length);
                return;
            }
            scratch.tile = Scratch.atLeast(scratch.tile, length);
            scratch.row = Scratch.atLeast(scratch.row, Lanes.V);
            Rows.read(input, in.position(row), in.stride(), scratch.tile, 0, length);
            if (problem().log()) {
                SoftmaxRow.logSoftmax(scratch.tile, length, scratch.row);
            } else {
                SoftmaxRow.softmax(scratch.tile, length, scratch.row);
            }
            Rows.write(scratch.tile, 0, output, out.position(row), out.stride(), length);
        });
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
                double[] wide = scratch.wide.row = WideScratch.atLeast(scratch.wide.row, length);
                double[] gradient = scratch.wide.rowToo = WideScratch.atLeast(scratch.wide.rowToo, length);
                WideRows.read(output, y.position(row), y.stride(), wide, 0, length);
                WideRows.read(outputGradient, dy.position(row), dy.stride(), gradient, 0, length);
                WideSoftmaxRow.gradient(wide, gradient, length, problem().log());
                WideRows.write(gradient, 0, inputGradient, dx.position(row), dx.stride(), length);
                return;
            }
            scratch.tile = Scratch.atLeast(scratch.tile, length);
            scratch.tileToo = Scratch.atLeast(scratch.tileToo, length);
            Rows.read(output, y.position(row), y.stride(), scratch.tile, 0, length);
            Rows.read(outputGradient, dy.position(row), dy.stride(), scratch.tileToo, 0, length);
            SoftmaxRow.gradient(scratch.tile, scratch.tileToo, length, problem().log());
            Rows.write(scratch.tileToo, 0, inputGradient, dx.position(row), dx.stride(), length);
        });
    }

    private interface RowVisitor {
        void visit(long row, Scratch scratch);
    }

    private static void forEachRow(Workers workers, RowCursor rows, RowVisitor visitor) {
        long perTask = Math.max(1, ELEMENTS_PER_TASK / rows.length());
        int tasks = Math.toIntExact((rows.count() + perTask - 1) / perTask);
        workers.run(tasks, (task, scratch) -> {
            long end = Math.min(rows.count(), (task + 1) * perTask);
            for (long row = task * perTask; row < end; row++) {
                visitor.visit(row, scratch);
            }
        });
    }
}
