package dev.heed.backend.opencl.plan;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.HostSums;
import dev.heed.backend.opencl.device.Part;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.AttentionCall;
import dev.heed.backend.opencl.kernels.Backward;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.backend.opencl.score.LoweredRows;
import dev.heed.backend.opencl.score.ParameterSums;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backward pass of an attention in as many parts as the device's memory asks for, mostly one. A part that does not fit
 * with all its queries and keys goes over them in blocks: first each block of queries meets all keys (statistics, then dQ),
 * then each block of keys all queries (dK, dV, the bias). Every sum has one order, so the bits are the same each time.
 */
final class BackwardInParts {
    private final Engine engine;
    private final Operands in;
    private final Tensor outputGradient;
    private final @Nullable Tensor lseGradient;
    private final Targets to;
    private final BackwardFootprint footprint;

    /** Where gradients are gathered; null for what is not wanted. */
    record Targets(
            Tensor query,
            Tensor key,
            Tensor value,
            @Nullable Tensor bias,
            @Nullable Tensor sink,
            @Nullable ScoreFunction score) {}

    BackwardInParts(Engine engine, Operands in, Tensor outputGradient, @Nullable Tensor lseGradient, Targets to) {
        this.engine = engine;
        this.in = in;
        this.outputGradient = outputGradient;
        this.lseGradient = lseGradient;
        this.to = to;
        this.footprint = new BackwardFootprint(engine, in);
    }

    void run() {
        List<Part> parts = in.isResident() ? List.of(Part.whole(in.shape())) : footprint.parts();
        if (parts.size() == 1
                && (in.isResident() || footprint.blocks(parts.getFirst()).isWhole())) {
            whole(parts.getFirst());
            return;
        }
        ParameterSums parameters;
        try (var scope = new CallScope(engine, in.wide())) {
            parameters = parameters(scope, true);
        }
        HostSums bias = to.bias() == null ? null : new HostSums(to.bias().shape());
        HostSums sink = to.sink() == null ? null : new HostSums(to.sink().shape());
        for (Part part : parts) {
            BackwardFootprint.Blocks blocks = footprint.blocks(part);
            if (blocks.isWhole()) {
                together(part, bias, sink, parameters);
            } else {
                apart(blocks, bias, sink, parameters);
            }
        }
        try (var scope = new CallScope(engine, in.wide())) {
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

    private @Nullable ParameterSums parameters(CallScope scope, boolean inParts) {
        return to.score() == null ? null : new ParameterSums(scope, to.score(), inParts);
    }

    /** Everything at once; nothing passes through the host on its way to a target on the device. */
    private void whole(Part part) {
        try (var scope = new CallScope(engine, in.wide())) {
            Backward backward = gradients(scope, part, parameters(scope, false));
            if (to.bias() != null) {
                read(scope, backward.bias(), to.bias());
            }
            if (to.sink() != null) {
                read(scope, backward.sink(), to.sink());
            }
        }
    }

    private void together(
            Part part, @Nullable HostSums bias, @Nullable HostSums sink, @Nullable ParameterSums parameters) {
        try (var scope = new CallScope(engine, in.wide())) {
            Backward backward = gradients(scope, part, parameters);
            if (bias != null) {
                HostSums.add(scope, backward.bias(), part.cells(bias.all()));
            }
            if (sink != null) {
                HostSums.add(scope, backward.sink(), heads(part, sink));
            }
        }
    }

    private Backward gradients(CallScope scope, Part part, @Nullable ParameterSums parameters) {
        AttentionCall call = in.call(scope, part, in.queries(scope, part));
        Backward backward = Backward.of(call, in.flows(scope, part, outputGradient), lse(scope, part), parameters);
        DeviceTensor query = backward.query();
        read(scope, call.queryRows.back(query), part.ofQueries(to.query()));
        Backward.KeyGradients keys = backward.keys();
        read(scope, call.keyRows.back(keys.key()), part.ofKeys(to.key()));
        read(scope, call.valueRows.back(keys.value()), part.ofKeys(to.value()));
        if (parameters != null) {
            call.queryRows.parameters(query, parameters);
            call.keyRows.parameters(keys.key(), parameters);
            backward.meeting(parameters);
        }
        return backward;
    }

    private @Nullable DeviceTensor lse(CallScope scope, Part part) {
        return lseGradient == null ? null : scope.upload(part.ofQueries(lseGradient), scope.real());
    }

    private static Tensor heads(Part part, HostSums sink) {
        return sink.all().slice(0, part.headFrom(), part.headTo());
    }

    private void apart(
            BackwardFootprint.Blocks blocks,
            @Nullable HostSums bias,
            @Nullable HostSums sink,
            @Nullable ParameterSums parameters) {
        List<Part> queries = blocks.ofQueries();
        List<Part> keys = blocks.ofKeys();
        try (Arena host = Arena.ofShared()) {
            Tensor[] statistics = new Tensor[queries.size()];
            for (int n = 0; n < statistics.length; n++) {
                statistics[n] = queriesMeetKeys(queries.get(n), keys, sink, parameters, host);
            }
            for (Part some : keys) {
                keysMeetQueries(some, queries, statistics, bias, parameters);
            }
        }
    }

    /** {@return the statistics of a block of queries, on the host; their gradients are written} */
    private Tensor queriesMeetKeys(
            Part rows, List<Part> keys, @Nullable HostSums sink, @Nullable ParameterSums parameters, Arena host) {
        try (var scope = new CallScope(engine, in.wide())) {
            AttentionShape s = in.lowering(rows).shape();
            LoweredRows query = in.queries(scope, rows);
            DeviceTensor flows = in.flows(scope, rows, outputGradient);
            DeviceTensor lse = lse(scope, rows);
            DeviceTensor statistics = Backward.statistics(scope, s);
            var sinkRows = Backward.sinkRows(scope, s);
            DeviceTensor parts = Backward.parts(scope, in.lowering(rows), parameters);
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new CallScope(engine, in.wide())) {
                    AttentionCall call = call(some, rows, keys.get(n), query);
                    var backward = new Backward(call, flows, statistics, sinkRows, parts);
                    backward.read(lse, n == 0, n == keys.size() - 1);
                }
            }
            DeviceTensor gradient = Backward.queryGradient(scope, s);
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new CallScope(engine, in.wide())) {
                    AttentionCall call = call(some, rows, keys.get(n), query);
                    var backward = new Backward(call, flows, statistics, sinkRows, parts);
                    backward.query(gradient, n == 0);
                    if (sink != null && n == 0) {
                        HostSums.add(some, backward.sink(), heads(rows, sink));
                    }
                    if (n == keys.size() - 1) {
                        backward.meeting(parameters);
                    }
                }
            }
            read(scope, query.back(gradient), rows.ofQueries(to.query()));
            if (parameters != null) {
                query.parameters(gradient, parameters);
            }
            Tensor kept = Tensor.allocate(host, statistics.type(), statistics.shape());
            scope.read(statistics, kept.segment());
            return kept;
        }
    }

    private void keysMeetQueries(
            Part some,
            List<Part> queries,
            Tensor[] statistics,
            @Nullable HostSums bias,
            @Nullable ParameterSums parameters) {
        try (var scope = new CallScope(engine, in.wide())) {
            LoweredRows key = in.keys(scope, some);
            LoweredRows value = in.values(scope, some);
            Backward.KeyGradients gradients =
                    Backward.keyGradients(scope, in.lowering(some).shape());
            for (int n = 0; n < statistics.length; n++) {
                try (var there = new CallScope(engine, in.wide())) {
                    Part block = queries.get(n).withKeys(some.keyFrom(), some.keyTo());
                    LoweredRows query = in.queries(there, block);
                    var call = new AttentionCall(there, block, in.options(), in.mask(), query, key, value);
                    var backward = new Backward(
                            call,
                            in.flows(there, block, outputGradient),
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

    private AttentionCall call(CallScope scope, Part rows, Part keys, LoweredRows query) {
        return in.call(scope, rows.withKeys(keys.keyFrom(), keys.keyTo()), query);
    }

    /** Reads numbers of the kernel's type for a tensor of perhaps another. */
    private static void read(CallScope scope, DeviceTensor computed, Tensor target) {
        Results.read(scope, scope.converted(computed, target.type()), target);
    }
}
