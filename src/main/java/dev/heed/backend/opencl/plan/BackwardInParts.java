package dev.heed.backend.opencl.plan;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.HostSums;
import dev.heed.backend.opencl.device.Part;
import dev.heed.backend.opencl.device.Placed;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.device.Work;
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
        try (var work = new Work(engine, in.wide())) {
            parameters = parameters(work, true);
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
        try (var work = new Work(engine, in.wide())) {
            if (bias != null && to.bias() != null) {
                bias.deliver(work, to.bias());
            }
            if (sink != null && to.sink() != null) {
                sink.deliver(work, to.sink());
            }
            if (parameters != null) {
                parameters.deliver(work);
            }
        }
    }

    private @Nullable ParameterSums parameters(Work work, boolean inParts) {
        return to.score() == null ? null : new ParameterSums(work, to.score(), inParts);
    }

    /** Everything at once; nothing passes through the host on its way to a target on the device. */
    private void whole(Part part) {
        try (var work = new Work(engine, in.wide())) {
            Backward backward = gradients(work, part, parameters(work, false));
            if (to.bias() != null) {
                read(work, backward.bias(), to.bias());
            }
            if (to.sink() != null) {
                read(work, backward.sink(), to.sink());
            }
        }
    }

    private void together(
            Part part, @Nullable HostSums bias, @Nullable HostSums sink, @Nullable ParameterSums parameters) {
        try (var work = new Work(engine, in.wide())) {
            Backward backward = gradients(work, part, parameters);
            if (bias != null) {
                HostSums.add(work, backward.bias(), part.cells(bias.all()));
            }
            if (sink != null) {
                HostSums.add(work, backward.sink(), heads(part, sink));
            }
        }
    }

    private Backward gradients(Work work, Part part, @Nullable ParameterSums parameters) {
        AttentionCall call = in.call(work, part, in.queries(work, part));
        Backward backward = Backward.of(call, in.flows(work, part, outputGradient), lse(work, part), parameters);
        Placed query = backward.query();
        read(work, call.queryRows.back(query), part.ofQueries(to.query()));
        Backward.KeyGradients keys = backward.keys();
        read(work, call.keyRows.back(keys.key()), part.ofKeys(to.key()));
        read(work, call.valueRows.back(keys.value()), part.ofKeys(to.value()));
        if (parameters != null) {
            call.queryRows.parameters(query, parameters);
            call.keyRows.parameters(keys.key(), parameters);
            backward.meeting(parameters);
        }
        return backward;
    }

    private @Nullable Placed lse(Work work, Part part) {
        return lseGradient == null ? null : work.upload(part.ofQueries(lseGradient), work.real());
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
        try (var work = new Work(engine, in.wide())) {
            AttentionShape s = in.lowering(rows).shape();
            LoweredRows query = in.queries(work, rows);
            Placed flows = in.flows(work, rows, outputGradient);
            Placed lse = lse(work, rows);
            Placed statistics = Backward.statistics(work, s);
            var sinkRows = Backward.sinkRows(work, s);
            Placed parts = Backward.parts(work, in.lowering(rows), parameters);
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new Work(engine, in.wide())) {
                    AttentionCall call = call(some, rows, keys.get(n), query);
                    var backward = new Backward(call, flows, statistics, sinkRows, parts);
                    backward.read(lse, n == 0, n == keys.size() - 1);
                }
            }
            Placed gradient = Backward.queryGradient(work, s);
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new Work(engine, in.wide())) {
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
            read(work, query.back(gradient), rows.ofQueries(to.query()));
            if (parameters != null) {
                query.parameters(gradient, parameters);
            }
            Tensor kept = Tensor.allocate(host, statistics.type(), statistics.shape());
            work.read(statistics, kept.segment());
            return kept;
        }
    }

    private void keysMeetQueries(
            Part some,
            List<Part> queries,
            Tensor[] statistics,
            @Nullable HostSums bias,
            @Nullable ParameterSums parameters) {
        try (var work = new Work(engine, in.wide())) {
            LoweredRows key = in.keys(work, some);
            LoweredRows value = in.values(work, some);
            Backward.KeyGradients gradients =
                    Backward.keyGradients(work, in.lowering(some).shape());
            for (int n = 0; n < statistics.length; n++) {
                try (var there = new Work(engine, in.wide())) {
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
            read(work, key.back(gradients.key()), some.ofKeys(to.key()));
            read(work, value.back(gradients.value()), some.ofKeys(to.value()));
            if (parameters != null) {
                key.parameters(gradients.key(), parameters);
            }
        }
    }

    private AttentionCall call(Work work, Part rows, Part keys, LoweredRows query) {
        return in.call(work, rows.withKeys(keys.keyFrom(), keys.keyTo()), query);
    }

    /** Reads numbers of the kernel's type for a tensor of perhaps another. */
    private static void read(Work work, Placed computed, Tensor target) {
        Results.read(work, work.converted(computed, target.type()), target);
    }
}
