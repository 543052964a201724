package dev.heed.backend.opencl;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.BackendFailedException;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Attention on an OpenCL device. */
final class OpenClAttention extends AttentionPlan {
    private final Engine engine;

    OpenClAttention(AttentionProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
    }

    @Override
    public String describe() {
        AttentionProblem p = problem();
        boolean keeps = p.weights() || p.rows() > 0 || p.topK() > 0;
        return "opencl " + (Forward.isDecode(p.shape(), engine.family, keeps) ? "decode" : "prefill") + ", kernels for "
                + (engine.family == Engine.Family.LANES ? "CPUs" : "GPUs") + ", "
                + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void runForward(AttentionInputs inputs, AttentionResult result) {
        engine.guarded(problem(), () -> attend(inputs, result));
    }

    private void attend(AttentionInputs inputs, AttentionResult result) {
        var footprint = new Footprint(engine, problem());
        try (var results = new Results(engine)) {
            for (Part part : onDevice(inputs) ? List.of(Part.whole(problem().shape())) : footprint.parts()) {
                List<Part> keys = onDevice(inputs) ? List.of(part) : footprint.keyParts(part);
                if (keys.size() == 1) {
                    attend(inputs, result, part, results);
                } else {
                    attendByKeys(inputs, result, part, keys, results);
                }
            }
            results.deliver();
        }
    }

    private static boolean onDevice(AttentionInputs inputs) {
        return inputs.query().device() != null;
    }

    private boolean wide() {
        return problem().type() == DType.F64;
    }

    private void attend(AttentionInputs inputs, AttentionResult result, Part part, Results results) {
        try (var work = new Work(engine, wide())) {
            AttentionCall call = call(work, inputs, part, work.upload(part.ofQueries(inputs.query())));
            Placed output = output(work, part);
            Forward.Statistics statistics = Forward.run(call, output);
            Results.read(work, output, part.ofQueries(results.of(result.output())));
            keepLse(work, statistics, result, part, results);
            keep(call, statistics, result, part, results);
        }
    }

    /** The keys do not fit together: they come one part after the other, twice where more than the output is kept. */
    private void attendByKeys(
            AttentionInputs inputs, AttentionResult result, Part part, List<Part> keys, Results results) {
        if (problem().topK() > 0) {
            var footprint = new Footprint(engine, problem());
            throw new BackendFailedException(
                    "The largest weights of a query need all its keys on the device.\n  case      " + problem()
                            + "\n  expected  " + footprint.total(part) + " bytes\n  got       " + footprint.available()
                            + " bytes available\nHINT: withBackend(\"vector\")",
                    null);
        }
        try (var work = new Work(engine, wide())) {
            Placed query = work.upload(part.ofQueries(inputs.query()));
            Placed output = output(work, part);
            Forward.Statistics statistics = Forward.statistics(work, part.shape());
            var sums = Forward.sums(work, part.shape());
            for (int n = 0; n < keys.size(); n++) {
                try (var some = new Work(engine, wide())) {
                    AttentionCall call = call(some, inputs, keys.get(n), query);
                    new Forward(call).prefill(output, statistics, sums, n == 0, n == keys.size() - 1);
                }
            }
            work.free(sums);
            Results.read(work, output, part.ofQueries(results.of(result.output())));
            keepLse(work, statistics, result, part, results);
            for (Part some : keys) {
                try (var again = new Work(engine, wide())) {
                    keep(call(again, inputs, some, query), statistics, result, some, results);
                }
            }
        }
    }

    private Placed output(Work work, Part part) {
        AttentionShape s = part.shape();
        return work.place(problem().type(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
    }

    private static AttentionCall call(Work work, AttentionInputs inputs, Part part, Placed query) {
        return new AttentionCall(
                work,
                part,
                inputs.options(),
                query,
                work.upload(part.ofKeys(inputs.key())),
                work.upload(part.ofKeys(inputs.value())));
    }

    static void keepLse(Work work, Forward.Statistics statistics, AttentionResult result, Part part, Results results) {
        Tensor lse = result.lse();
        if (lse != null) {
            Results.read(work, statistics.lse(), part.ofQueries(results.of(lse)));
        }
    }

    /** Reads back whatever else the result has a place for. */
    static void keep(
            AttentionCall call, Forward.Statistics statistics, AttentionResult result, Part part, Results results) {
        Work work = call.work;
        var kept = new Kept(call, statistics);
        Tensor weights = result.weights();
        if (weights != null) {
            Placed cells = kept.weights();
            Results.read(work, cells, part.ofCells(results.of(weights)));
            work.free(cells.buffer());
        }
        Tensor rowWeights = result.rowWeights();
        if (rowWeights != null) {
            keepRows(kept, call, rowWeights, part, results);
        }
        Tensor topK = result.topKWeights();
        Tensor keys = result.topKIndices();
        if (topK != null && keys != null) {
            Kept.Ranked ranked = kept.largest(Math.toIntExact(topK.size(3)));
            Results.read(work, ranked.weights(), part.ofQueries(results.of(topK)));
            Results.read(work, ranked.keys(), part.ofQueries(results.of(keys)));
        }
        Tensor scores = result.scores();
        if (scores != null && call.options.scores() != null) {
            Placed cells = kept.scores(call.options.scores());
            Results.read(work, cells, part.ofCells(results.of(scores)));
            work.free(cells.buffer());
        }
    }

    /** Rows are numbers of queries of the whole; those of other parts are theirs to write. */
    private static void keepRows(Kept kept, AttentionCall call, Tensor target, Part part, Results results) {
        List<Long> rows = call.options.rows();
        int[] slots = IntStream.range(0, rows.size())
                .filter(r -> rows.get(r) >= part.queryFrom() && rows.get(r) < part.queryTo())
                .toArray();
        if (slots.length == 0) {
            return;
        }
        int[] queries = Arrays.stream(slots)
                .map(r -> (int) (rows.get(r) - part.queryFrom()))
                .toArray();
        Placed cells = kept.weightsOf(queries);
        Tensor heads = results.of(target)
                .slice(0, part.batchFrom(), part.batchTo())
                .slice(1, part.headFrom(), part.headTo())
                .slice(3, part.keyFrom(), part.keyTo());
        for (int n = 0; n < slots.length; n++) {
            Placed row = cells.slice(2, n, n + 1);
            Placed packed = call.work.place(row.type(), row.shape());
            call.work.copy(row, packed);
            Results.read(call.work, packed, heads.slice(2, slots[n], slots[n] + 1));
        }
    }

    @Override
    protected void runBackward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        engine.guarded(problem(), () -> flowBack(inputs, outputGradient, lseGradient, gradients));
    }

    private void flowBack(
            AttentionInputs inputs, Tensor outputGradient, @Nullable Tensor lseGradient, AttentionGradients gradients) {
        try (var results = new Results(engine);
                var work = new Work(engine, problem().type() == DType.F64)) {
            Part part = Part.whole(problem().shape());
            var call = new AttentionCall(
                    work,
                    part,
                    inputs.options(),
                    work.upload(inputs.query()),
                    work.upload(inputs.key()),
                    work.upload(inputs.value()));
            var backward = new Backward(
                    call,
                    work.upload(outputGradient),
                    lseGradient == null ? null : work.upload(lseGradient, work.real()));
            Results.read(work, backward.query(), results.of(gradients.query()));
            Backward.KeyGradients keys = backward.keys();
            Results.read(work, keys.key(), results.of(gradients.key()));
            Results.read(work, keys.value(), results.of(gradients.value()));
            Tensor bias = gradients.bias();
            if (bias != null) {
                read(work, backward.bias(), bias, results);
            }
            Tensor sink = gradients.sink();
            if (sink != null) {
                read(work, backward.sink(), sink, results);
            }
            results.deliver();
        }
    }

    /** Reads numbers of the kernel's type for a tensor of perhaps another. */
    static void read(Work work, Placed computed, Tensor target, Results results) {
        Placed converted = computed;
        if (computed.type() != target.type()) {
            converted = work.place(target.type(), target.shape());
            work.copy(computed, converted);
        }
        Results.read(work, converted, results.of(target));
    }
}
