package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;

/** The second pass of a forward call: computes requested scores and weights from the statistics of the first pass. */
public final class SecondPass {
    private static final long WEIGHTS = 0;
    private static final long STAGE_RANKED = 4;
    private static final long RANK_ITEMS = 64;

    private final AttentionCall call;
    private final ForwardKernels.Statistics statistics;

    public SecondPass(AttentionCall call, ForwardKernels.Statistics statistics) {
        this.call = call.withFewVariants();
        this.statistics = statistics;
    }

    /** {@return all weights, {@code [batch, heads, queries, keys]}} */
    public DeviceTensor weights() {
        return cells(WEIGHTS, 0, call.scope.nothing());
    }

    /** {@return the weights of the queries with the given indices in this call, {@code [batch, heads, rows, keys]}} */
    public DeviceTensor weightsOf(int[] rows) {
        return cells(WEIGHTS, rows.length, call.scope.upload(rows));
    }

    /** {@return the scores at a stage, {@code [batch, heads, queries, keys]}} */
    public DeviceTensor scores(ScoreStage stage) {
        long number = switch (stage) {
            case SCORE -> 1;
            case SOFTCAPPED -> 2;
            case MODIFIED -> 3;
        };
        return cells(number, 0, call.scope.nothing());
    }

    /** The largest weights of each row, and the indices of their keys in this call; both {@code [batch, heads, queries, k]}. */
    public record Ranked(DeviceTensor weights, DeviceTensor keys) {}

    /** {@return the {@code k} largest weights of each row, with their keys} */
    public Ranked largest(int k) {
        AttentionShape s = call.shape();
        CallScope scope = call.scope;
        DeviceTensor ranked = cells(STAGE_RANKED, 0, scope.nothing());
        var result = new Ranked(
                scope.allocate(scope.real(), s.batch(), s.numHeads(), s.seqLenQ(), k),
                scope.allocate(DType.I64, s.batch(), s.numHeads(), s.seqLenQ(), k));
        scope.launch(
                "weights",
                call.fewVariants() + scope.sizes("weights", s.headDim()).options(),
                "largest",
                WorkSize.groups(s.batch() * s.numHeads() * s.seqLenQ(), RANK_ITEMS),
                ranked.buffer(),
                s.seqLenKv(),
                (long) k,
                result.weights().buffer(),
                result.keys().buffer());
        scope.free(ranked.buffer());
        return result;
    }

    private DeviceTensor cells(long stage, int chosen, DeviceBuffer rowNumbers) {
        AttentionShape s = call.shape();
        CallScope scope = call.scope;
        TileSizes sizes = scope.sizes("weights", s.headDim());
        long rows = chosen > 0 ? chosen : s.seqLenQ();
        DeviceTensor cells = scope.allocate(scope.real(), s.batch(), s.numHeads(), rows, s.seqLenKv());
        long groups = Math.ceilDiv(s.seqLenKv(), sizes.columns())
                * Math.ceilDiv(rows, sizes.rows())
                * s.batch()
                * s.numHeads();
        scope.launch(
                "weights",
                call.fewVariants() + sizes.options(),
                "weights",
                WorkSize.groups(groups, sizes.items()),
                call.struct(call.query, null, chosen, stage),
                call.query.buffer(),
                call.key.buffer(),
                cells.buffer(),
                statistics.state(),
                rowNumbers,
                call.mask.bands,
                call.mask.rows,
                call.biasCells,
                call.slopes,
                call.scoreParameter);
        return cells;
    }
}
