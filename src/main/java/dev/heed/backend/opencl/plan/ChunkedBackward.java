package dev.heed.backend.opencl.plan;

import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.HostSums;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.AttentionCall;
import dev.heed.backend.opencl.kernels.BackwardKernels;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.backend.opencl.score.LoweredRows;
import dev.heed.backend.opencl.score.ParameterGradients;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backward pass of an attention, in as many chunks as the device's memory requires, usually one. A chunk that does not fit
 * with all queries and keys is computed in blocks: first each block of queries with all keys (statistics, then dQ), then
 * each block of keys with all queries (dK, dV, gradient of the bias). Sums have a fixed order, so repeated calls give the same
 * bits.
 */
final class ChunkedBackward {
    private final Engine engine;
    private final Operands in;
    private final @Nullable AttentionResult forward;
    private final Tensor outputGradient;
    private final @Nullable Tensor lseGradient;
    private final Targets to;
    private final BackwardFootprint footprint;

    /** The tensors to which the gradients are written; null for gradients that are not requested. */
    record Targets(
            Tensor query,
            Tensor key,
            Tensor value,
            @Nullable Tensor bias,
            @Nullable Tensor sink,
            @Nullable ScoreFunction score) {}

    /**
     * Prepares a pass.
     *
     * @param forward the forward result if it has more keys than the call; else null
     */
    ChunkedBackward(
            Engine engine,
            Operands in,
            @Nullable AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            Targets to) {
        this.engine = engine;
        this.in = in;
        this.forward = forward;
        this.outputGradient = outputGradient;
        this.lseGradient = lseGradient;
        this.to = to;
        this.footprint = new BackwardFootprint(engine, in);
    }

    void run() {
        List<Chunk> chunks = in.isResident() ? List.of(Chunk.whole(in.shape())) : footprint.chunks();
        if (chunks.size() == 1
                && (in.isResident() || footprint.blocks(chunks.getFirst()).isWhole())) {
            whole(chunks.getFirst());
            return;
        }
        ParameterGradients parameters;
        try (var scope = new CallScope(engine, in.f64())) {
            parameters = parameters(scope, true);
        }
        HostSums bias = to.bias() == null ? null : new HostSums(to.bias().shape());
        HostSums sink = to.sink() == null ? null : new HostSums(to.sink().shape());
        for (Chunk chunk : chunks) {
            BackwardFootprint.Blocks blocks = footprint.blocks(chunk);
            if (blocks.isWhole()) {
                together(chunk, bias, sink, parameters);
            } else {
                apart(blocks, bias, sink, parameters);
            }
        }
        try (var scope = new CallScope(engine, in.f64())) {
            if (bias != null && to.bias() != null) {
                bias.deliver(scope, to.bias());
            }
            if (sink != null && to.sink() != null) {
                sink.deliver(scope, to.sink());
            }
            if (parameters != null) {
                parameters.deliver(scope);
            }
        }
    }

    private @Nullable ParameterGradients parameters(CallScope scope, boolean chunked) {
        return to.score() == null ? null : new ParameterGradients(scope, to.score(), chunked);
    }

    /** Computes a call that is one chunk. Results for targets on the device do not pass through the host. */
    private void whole(Chunk chunk) {
        try (var scope = new CallScope(engine, in.f64())) {
            BackwardKernels backward = gradients(scope, chunk, parameters(scope, false));
            if (to.bias() != null) {
                read(scope, backward.bias(), to.bias());
            }
            if (to.sink() != null) {
                read(scope, backward.sink(), to.sink());
            }
        }
    }

    /** Computes one of several chunks, with all its queries and keys. */
    private void together(
            Chunk chunk, @Nullable HostSums bias, @Nullable HostSums sink, @Nullable ParameterGradients parameters) {
        try (var scope = new CallScope(engine, in.f64())) {
            BackwardKernels backward = gradients(scope, chunk, parameters);
            if (bias != null) {
                HostSums.add(scope, backward.bias(), chunk.cells(bias.all()));
            }
            if (sink != null) {
                HostSums.add(scope, backward.sink(), heads(chunk, sink));
            }
        }
    }

    private BackwardKernels gradients(CallScope scope, Chunk chunk, @Nullable ParameterGradients parameters) {
        AttentionCall call = in.call(scope, chunk, in.queries(scope, chunk));
        BackwardKernels backward = BackwardKernels.of(
                call,
                in.outputGradient(scope, chunk, outputGradient),
                lse(scope, chunk),
                parameters,
                given(scope, chunk));
        DeviceTensor query = backward.query();
        read(scope, call.queryRows.back(query), chunk.ofQueries(to.query()));
        BackwardKernels.KeyGradients keys = backward.keys();
        read(scope, call.keyRows.back(keys.key()), chunk.ofKeys(to.key()));
        read(scope, call.valueRows.back(keys.value()), chunk.ofKeys(to.value()));
        if (parameters != null) {
            call.queryRows.parameters(query, parameters);
            call.keyRows.parameters(keys.key(), parameters);
            backward.parameterGradient(parameters);
        }
        return backward;
    }

    private @Nullable DeviceTensor lse(CallScope scope, Chunk chunk) {
        return lseGradient == null ? null : scope.upload(chunk.ofQueries(lseGradient), scope.real());
    }

    /** {@return the forward result of the rows of a chunk, on the device in the compute type; null if it is not used} */
    private BackwardKernels.@Nullable Given given(CallScope scope, Chunk chunk) {
        Tensor maxima = forward == null ? null : forward.rowMax();
        Tensor sums = forward == null ? null : forward.rowSum();
        if (forward == null || maxima == null || sums == null) {
            return null;
        }
        return new BackwardKernels.Given(
                reals(scope, chunk, forward.output()),
                reals(scope, chunk, outputGradient),
                reals(scope, chunk, maxima),
                reals(scope, chunk, sums));
    }

    private static DeviceTensor reals(CallScope scope, Chunk chunk, Tensor rows) {
        DeviceTensor there = scope.upload(chunk.ofQueries(rows), scope.real());
        return there.isPacked() && there.at() == 0 ? there : scope.packed(there, there.type());
    }

    private static Tensor heads(Chunk chunk, HostSums sink) {
        return sink.all().slice(0, chunk.headFrom(), chunk.headTo());
    }

    /** Computes one of several chunks, or the only one, in blocks. */
    private void apart(
            BackwardFootprint.Blocks blocks,
            @Nullable HostSums bias,
            @Nullable HostSums sink,
            @Nullable ParameterGradients parameters) {
        List<Chunk> queries = blocks.ofQueries();
        List<Chunk> keys = blocks.ofKeys();
        try (Arena host = Arena.ofConfined()) {
            Tensor[] statistics = new Tensor[queries.size()];
            for (int n = 0; n < statistics.length; n++) {
                statistics[n] = queryBlock(queries.get(n), keys, sink, parameters, host);
            }
            for (Chunk some : keys) {
                keyBlock(some, queries, statistics, bias, parameters);
            }
        }
    }

    /**
     * {@return the statistics of a block of queries, on the host} Writes the block's dQ, and adds its terms to the gradients of
     * sinks and parameters.
     */
    private Tensor queryBlock(
            Chunk rows,
            List<Chunk> keys,
            @Nullable HostSums sink,
            @Nullable ParameterGradients parameters,
            Arena host) {
        try (var scope = new CallScope(engine, in.f64())) {
            AttentionShape s = in.lowering(rows).shape();
            LoweredRows query = in.queries(scope, rows);
            DeviceTensor dOut = in.outputGradient(scope, rows, outputGradient);
            DeviceTensor lse = lse(scope, rows);
            DeviceTensor statistics = BackwardKernels.statistics(scope, s);
            var dSinkRows = BackwardKernels.dSinkRows(scope, s);
            DeviceTensor partials = BackwardKernels.partials(scope, in.lowering(rows), parameters);
            BackwardKernels.Given given = given(scope, rows);
            boolean reads = given == null;
            for (int n = reads ? 0 : keys.size() - 1; n < keys.size(); n++) {
                boolean last = n == keys.size() - 1;
                try (var some = new CallScope(engine, in.f64())) {
                    AttentionCall call = call(some, rows, keys.get(n), query);
                    var backward = new BackwardKernels(call, dOut, statistics, dSinkRows, partials);
                    if (reads) {
                        backward.read(lse, n == 0, last);
                    }
                    if (given != null && last) {
                        backward.use(given, lse);
                    }
                }
            }
            DeviceTensor gradient = BackwardKernels.queryGradient(scope, s);
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new CallScope(engine, in.f64())) {
                    AttentionCall call = call(some, rows, keys.get(n), query);
                    var backward = new BackwardKernels(call, dOut, statistics, dSinkRows, partials);
                    backward.query(gradient, n == 0);
                    if (sink != null && n == 0) {
                        HostSums.add(some, backward.sink(), heads(rows, sink));
                    }
                    if (n == keys.size() - 1) {
                        backward.parameterGradient(parameters);
                    }
                }
            }
            read(scope, query.back(gradient), rows.ofQueries(to.query()));
            if (parameters != null) {
                query.parameters(gradient, parameters);
            }
            Tensor hostCopy = Tensor.allocate(host, statistics.type(), statistics.shape());
            scope.read(statistics, hostCopy.segment());
            return hostCopy;
        }
    }

    /** Writes dK and dV of a block of keys, and adds the block's terms to the gradients of bias and parameters. */
    private void keyBlock(
            Chunk some,
            List<Chunk> queries,
            Tensor[] statistics,
            @Nullable HostSums bias,
            @Nullable ParameterGradients parameters) {
        try (var scope = new CallScope(engine, in.f64())) {
            LoweredRows key = in.keys(scope, some);
            LoweredRows value = in.values(scope, some);
            BackwardKernels.KeyGradients gradients =
                    BackwardKernels.keyGradients(scope, in.lowering(some).shape());
            for (int n = 0; n < statistics.length; n++) {
                try (var there = new CallScope(engine, in.f64())) {
                    Chunk block = queries.get(n).withKeys(some.keyFrom(), some.keyTo());
                    LoweredRows query = in.queries(there, block);
                    var call = new AttentionCall(there, block, in.options(), in.mask(), query, key, value);
                    var backward = new BackwardKernels(
                            call,
                            in.outputGradient(there, block, outputGradient),
                            there.upload(statistics[n]),
                            there.nothing(),
                            null);
                    backward.keys(gradients, n == 0);
                    if (bias != null) {
                        HostSums.add(there, backward.bias(), block.cells(bias.all()));
                    }
                }
            }
            read(scope, key.back(gradients.key()), some.ofKeys(to.key()));
            read(scope, value.back(gradients.value()), some.ofKeys(to.value()));
            if (parameters != null) {
                key.parameters(gradients.key(), parameters);
            }
        }
    }

    private AttentionCall call(CallScope scope, Chunk rows, Chunk keys, LoweredRows query) {
        return in.call(scope, rows.withKeys(keys.keyFrom(), keys.keyTo()), query);
    }

    /** Reads a result in the compute type into a tensor that may have another type. */
    private static void read(CallScope scope, DeviceTensor computed, Tensor target) {
        Results.read(scope, scope.converted(computed, target.type()), target);
    }
}
