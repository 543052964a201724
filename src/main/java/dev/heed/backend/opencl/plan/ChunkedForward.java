package dev.heed.backend.opencl.plan;

import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.AttentionCall;
import dev.heed.backend.opencl.kernels.ForwardKernels;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.backend.opencl.kernels.SecondPass;
import dev.heed.backend.opencl.score.LoweredRows;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The forward pass of an attention, in as many chunks as the device's memory requires, usually one. */
final class ChunkedForward {
    private final Engine engine;
    private final Operands in;
    private final AttentionResult result;
    private final Results results;
    private final Footprint footprint;

    /**
     * Prepares a pass that computes the output, and the optional outputs for which {@code result} has a tensor.
     *
     * @param problem the problem, from which the footprints of chunks are computed
     * @param in the inputs
     * @param result the caller's tensors for the optional outputs
     * @param results temporary tensors that gather the optional outputs
     */
    ChunkedForward(Engine engine, AttentionProblem problem, Operands in, AttentionResult result, Results results) {
        this.engine = engine;
        this.in = in;
        this.result = result;
        this.results = results;
        this.footprint = new Footprint(engine, problem, in.type());
    }

    /** Writes the output, {@code [batch, heads, queries, valueHeadDim]}, and the optional outputs. */
    void run(Tensor output) {
        if (in.isResident()) {
            attend(Chunk.whole(in.shape()), output);
            return;
        }
        for (Chunk chunk : footprint.chunks()) {
            List<Chunk> keys = footprint.keyChunks(chunk);
            if (keys.size() == 1) {
                attend(chunk, output);
            } else {
                attendByKeys(chunk, keys, output);
            }
        }
    }

    private void attend(Chunk chunk, Tensor output) {
        try (var scope = new CallScope(engine, in.f64())) {
            AttentionCall call = in.call(scope, chunk, in.queries(scope, chunk));
            DeviceTensor computed = allocate(scope, chunk);
            ForwardKernels.Statistics statistics = ForwardKernels.run(call, computed);
            Results.read(scope, scope.converted(computed, output.type()), chunk.ofQueries(output));
            writeStatistics(scope, statistics, result, chunk, results);
            writeOptional(call, statistics, result, chunk, results, null);
        }
    }

    /**
     * Computes a chunk that does not fit with all its keys: reads chunks of the keys one after another, and reads them again if
     * optional outputs other than the LSE are requested.
     */
    private void attendByKeys(Chunk chunk, List<Chunk> keys, Tensor output) {
        try (var scope = new CallScope(engine, in.f64())) {
            LoweredRows query = in.queries(scope, chunk);
            DeviceTensor computed = allocate(scope, chunk);
            ForwardKernels.Statistics statistics = ForwardKernels.statistics(scope, chunk.shape());
            var sums = ForwardKernels.sums(scope, chunk.shape());
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new CallScope(engine, in.f64())) {
                    new ForwardKernels(in.call(some, keys.get(n), query))
                            .prefill(computed, statistics, sums, n == 0, n == keys.size() - 1);
                }
            }
            scope.free(sums);
            Results.read(scope, scope.converted(computed, output.type()), chunk.ofQueries(output));
            writeStatistics(scope, statistics, result, chunk, results);
            if (result.onlyOutputAndLse()) {
                return;
            }
            TopLists lists = lists(chunk);
            for (Chunk some : keys) {
                try (var again = new CallScope(engine, in.f64())) {
                    writeOptional(in.call(again, some, query), statistics, result, some, results, lists);
                }
            }
            if (lists != null && result.topKWeights() != null && result.topKIndices() != null) {
                lists.deliver(
                        scope,
                        chunk.ofQueries(results.of(result.topKWeights())),
                        chunk.ofQueries(results.of(result.topKIndices())));
            }
        }
    }

    private @Nullable TopLists lists(Chunk chunk) {
        AttentionShape s = chunk.shape();
        Tensor weights = result.topKWeights();
        return weights == null
                ? null
                : new TopLists(s.batch() * s.numHeads() * s.seqLenQ(), Math.toIntExact(weights.size(3)));
    }

    private DeviceTensor allocate(CallScope scope, Chunk chunk) {
        AttentionShape s = chunk.shape();
        return scope.allocate(in.storage(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
    }

    static void writeStatistics(
            CallScope scope,
            ForwardKernels.Statistics statistics,
            AttentionResult result,
            Chunk chunk,
            Results results) {
        Tensor lse = result.lse();
        if (lse != null) {
            Results.read(scope, statistics.lse(), chunk.ofQueries(results.of(lse)));
        }
        Tensor maxima = result.rowMax();
        Tensor sums = result.rowSum();
        if (maxima != null && sums != null) {
            Results.read(scope, statistics.rowMax(), chunk.ofQueries(results.of(maxima)));
            Results.read(scope, statistics.rowSum(), chunk.ofQueries(results.of(sums)));
        }
    }

    /** Writes optional outputs other than the LSE. If {@code lists} is not null, adds the largest weights to it instead. */
    static void writeOptional(
            AttentionCall call,
            ForwardKernels.Statistics statistics,
            AttentionResult result,
            Chunk chunk,
            Results results,
            @Nullable TopLists lists) {
        if (result.onlyOutputAndLse()) {
            return;
        }
        CallScope scope = call.scope;
        var secondPass = new SecondPass(call, statistics);
        Tensor weights = result.weights();
        if (weights != null) {
            DeviceTensor cells = secondPass.weights();
            Results.read(scope, cells, chunk.ofCells(results.of(weights)));
            scope.free(cells.buffer());
        }
        Tensor rowWeights = result.rowWeights();
        if (rowWeights != null) {
            writeRows(secondPass, call, rowWeights, chunk, results);
        }
        Tensor topK = result.topKWeights();
        Tensor keys = result.topKIndices();
        if (topK != null && keys != null) {
            SecondPass.Ranked ranked = secondPass.largest(Math.toIntExact(topK.size(3)));
            if (lists == null) {
                Results.read(scope, ranked.weights(), chunk.ofQueries(results.of(topK)));
                Results.read(scope, ranked.keys(), chunk.ofQueries(results.of(keys)));
            } else {
                lists.add(scope, ranked, chunk.keyFrom());
            }
        }
        Tensor scores = result.scores();
        if (scores != null && call.options.scores() != null) {
            DeviceTensor cells = secondPass.scores(call.options.scores());
            Results.read(scope, cells, chunk.ofCells(results.of(scores)));
            scope.free(cells.buffer());
        }
    }

    /**
     * Writes the weights of the requested queries that are in this chunk. The requested indices are relative to the first query
     * of the attention, not of the chunk.
     */
    private static void writeRows(
            SecondPass secondPass, AttentionCall call, Tensor target, Chunk chunk, Results results) {
        List<Long> rows = call.options.rows();
        int[] slots = IntStream.range(0, rows.size())
                .filter(r -> rows.get(r) >= chunk.queryFrom() && rows.get(r) < chunk.queryTo())
                .toArray();
        if (slots.length == 0) {
            return;
        }
        int[] queries = Arrays.stream(slots)
                .map(r -> (int) (rows.get(r) - chunk.queryFrom()))
                .toArray();
        DeviceTensor cells = secondPass.weightsOf(queries);
        Tensor heads = results.of(target)
                .slice(0, chunk.batchFrom(), chunk.batchTo())
                .slice(1, chunk.headFrom(), chunk.headTo())
                .slice(3, chunk.keyFrom(), chunk.keyTo());
        for (int n = 0; n < slots.length; n++) {
            DeviceTensor row = cells.slice(2, n, n + 1);
            DeviceTensor packed = call.scope.allocate(row.type(), row.shape());
            call.scope.copy(row, packed);
            Results.read(call.scope, packed, heads.slice(2, slots[n], slots[n] + 1));
        }
    }
}
