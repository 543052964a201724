package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import java.util.Optional;

/** The forward pass of an attention on the device: prefill, or decode followed by a merge of partial attention states. */
public final class ForwardKernels {
    /** Maximum query rows per key/value head in decode. */
    private static final int MOST_ROWS = 16;

    private static final long LONGEST_SPLIT = 1024;
    private static final long SHORTEST_SPLIT = 128;
    private static final int DECODE_ITEMS = 64;
    private static final int MOST_COLUMNS = 8;

    /**
     * The statistics of the rows of a call, which the second pass reads.
     *
     * @param state {@code [batch, heads, queries, 2]}: the row maximum m and the inverse of the row sum l
     * @param rows {@code [3 batch, heads, queries]}: the LSEs, then the row maxima, then the row sums, as results have them
     */
    public record Statistics(DeviceBuffer state, DeviceTensor rows) {
        public DeviceTensor lse() {
            return third(0);
        }

        public DeviceTensor rowMax() {
            return third(1);
        }

        public DeviceTensor rowSum() {
            return third(2);
        }

        private DeviceTensor third(long n) {
            long batch = rows.size(0) / 3;
            return rows.slice(0, n * batch, (n + 1) * batch);
        }
    }

    private final AttentionCall call;
    private final CallScope scope;
    private final AttentionShape shape;

    public ForwardKernels(AttentionCall call) {
        this.call = call;
        this.scope = call.scope;
        this.shape = call.shape();
    }

    /**
     * {@return whether a call runs as decode: at most 16 query rows share each key, and valueHeadDim is at most 512} With the
     * kernels for CPU devices, a call that requests weights runs as prefill, because decode sums the products of a score in
     * another order than the pass that writes the weights. With decode, the weight of a single key would not be exactly 1.
     */
    public static boolean isDecode(AttentionShape shape, Engine.Family family, boolean requestsWeights) {
        return (family.isStaged() || !requestsWeights)
                && shape.groupSize() * shape.seqLenQ() <= MOST_ROWS
                && shape.valueHeadDim() <= (long) DECODE_ITEMS * MOST_COLUMNS;
    }

    /** {@return the statistics of the rows of a call} Computes the output; the call must have all keys of its queries. */
    public static Statistics run(AttentionCall call, DeviceTensor output) {
        var forward = new ForwardKernels(call);
        Statistics statistics = statistics(call.scope, call.shape());
        if (isDecode(
                call.shape(), call.scope.engine.family, call.options.outputs().anyWeights())) {
            Optional<MatrixDecode> units = MatrixDecode.of(call);
            if (units.isPresent()) {
                units.get().run(output, statistics);
            } else {
                forward.decode(output, statistics);
            }
        } else {
            Optional<MatrixPrefill> units = MatrixPrefill.of(call);
            if (units.isPresent()) {
                units.get().run(output, statistics);
                return statistics;
            }
            DeviceBuffer sums = sums(call.scope, call.shape());
            forward.prefill(output, statistics, sums, true, true);
            call.scope.free(sums);
        }
        return statistics;
    }

    public static Statistics statistics(CallScope scope, AttentionShape s) {
        return new Statistics(
                scope.reals(2 * s.batch() * s.numHeads() * s.seqLenQ()),
                scope.allocate(scope.real(), 3 * s.batch(), s.numHeads(), s.seqLenQ()));
    }

    /** {@return a buffer for the sums of weighted values; all launches of a prefill must share it} */
    public static DeviceBuffer sums(CallScope scope, AttentionShape s) {
        return scope.reals(sumsOf(scope.engine, scope.f64, s));
    }

    /** {@return the number of elements of {@link #sums}} */
    public static long sumsOf(Engine engine, boolean f64, AttentionShape s) {
        long rows = s.batch() * s.numHeads() * Math.ceilDiv(s.seqLenQ(), engine.panel(f64)) * engine.panel(f64);
        return rows * Math.ceilDiv(s.valueHeadDim(), 4) * 4;
    }

    /** Adds the keys of this call to the sums. {@code begins} marks the first chunk of the keys, {@code ends} the last. */
    public void prefill(DeviceTensor output, Statistics to, DeviceBuffer sums, boolean begins, boolean ends) {
        if (scope.engine.family == Engine.Family.LANES) {
            prefillLanes(output, to, sums, begins, ends);
        } else {
            prefillTiles(output, to, sums, begins, ends);
        }
    }

    private void prefillLanes(DeviceTensor output, Statistics to, DeviceBuffer sums, boolean begins, boolean ends) {
        Engine engine = scope.engine;
        long panel = engine.panel(scope.f64);
        long tasks = shape.batch() * shape.numHeads() * Math.ceilDiv(shape.seqLenQ(), panel);
        DeviceBuffer packed = scope.reals(tasks * panel * shape.headDim());
        scope.launch(
                "prefill_lanes",
                call.variant() + engine.laneOptions(scope.f64),
                "prefill_lanes",
                WorkSize.groups(tasks, 1),
                call.struct(output, null, 0, 0, begins, ends),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                output.buffer(),
                packed,
                sums,
                to.state(),
                to.rows().buffer(),
                call.mask.bands,
                call.mask.rows,
                call.maskTiles(),
                call.biasCells,
                call.slopes,
                call.sinks,
                call.scoreParameter);
        scope.free(packed);
    }

    private void prefillTiles(DeviceTensor output, Statistics to, DeviceBuffer sums, boolean begins, boolean ends) {
        TileSizes sizes = scope.sizes("prefill", shape.headDim());
        int owned = sizes.owned(shape.valueHeadDim());
        DeviceTensor state =
                DeviceTensor.packed(to.state(), scope.real(), 2 * shape.batch() * shape.numHeads() * shape.seqLenQ());
        DeviceTensor before = state;
        if (!begins) {
            before = scope.allocate(scope.real(), state.shape());
            scope.copy(state, before);
        }
        long groups = Math.ceilDiv(shape.valueHeadDim(), (long) owned * sizes.tx())
                * shape.batch()
                * shape.numHeads()
                * Math.ceilDiv(shape.seqLenQ(), sizes.rows());
        scope.launch(
                "prefill_tiles",
                call.variant() + sizes.options() + " -DCO=" + owned,
                "prefill_tiles",
                WorkSize.groups(groups, sizes.items()),
                call.struct(output, null, 0, 0, begins, ends),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                output.buffer(),
                sums,
                before.buffer(),
                to.state(),
                to.rows().buffer(),
                call.mask.bands,
                call.mask.rows,
                call.maskTiles(),
                call.biasCells,
                call.slopes,
                call.sinks,
                call.scoreParameter);
    }

    private void decode(DeviceTensor output, Statistics to) {
        long kvHeads = shape.batch() * shape.numKvHeads();
        int units = scope.engine.context.limits().computeUnits();
        long split = LONGEST_SPLIT;
        while (split > SHORTEST_SPLIT && kvHeads * Math.ceilDiv(shape.seqLenKv(), split) < 2L * units) {
            split /= 2;
        }
        long splits = Math.ceilDiv(shape.seqLenKv(), split);
        long rows = shape.batch() * shape.numHeads() * shape.seqLenQ();
        DeviceBuffer sums = scope.reals(splits * rows * shape.valueHeadDim());
        DeviceBuffer states = scope.reals(splits * rows * 2);
        int shared = Math.toIntExact(shape.groupSize() * shape.seqLenQ());
        int room = shared == 1 ? 1 : Integer.highestOneBit(shared - 1) * 2;
        if (scope.engine.family == Engine.Family.LANES) {
            DeviceBuffer packed = scope.reals(splits * kvHeads * shared * shape.headDim());
            scope.launch(
                    "decode_lanes",
                    call.variant() + scope.engine.laneOptions(scope.f64) + " -DROWS=" + room,
                    "decode_lanes",
                    WorkSize.groups(splits * kvHeads, 1),
                    call.struct(output, null, 0, 0),
                    split,
                    call.query.buffer(),
                    call.key.buffer(),
                    call.value.buffer(),
                    packed,
                    sums,
                    states,
                    call.mask.bands,
                    call.mask.rows,
                    call.biasCells,
                    call.slopes,
                    call.scoreParameter);
            scope.free(packed);
        } else {
            int columns = 1;
            while ((long) DECODE_ITEMS * columns < shape.valueHeadDim()) {
                columns *= 2;
            }
            scope.launch(
                    "decode_tiles",
                    call.variant() + " -DROWS=" + room + " -DITEMS=" + DECODE_ITEMS + " -DCO=" + columns,
                    "decode_tiles",
                    WorkSize.groups(splits * kvHeads, DECODE_ITEMS),
                    call.struct(output, null, 0, 0),
                    split,
                    call.query.buffer(),
                    call.key.buffer(),
                    call.value.buffer(),
                    sums,
                    states,
                    call.mask.bands,
                    call.mask.rows,
                    call.biasCells,
                    call.slopes,
                    call.scoreParameter);
        }
        merge(call, output, to, sums, states, splits);
    }

    /** Merges the partial attention states of the splits in the order of the keys, and releases the buffers of the states. */
    static void merge(
            AttentionCall call,
            DeviceTensor output,
            Statistics to,
            DeviceBuffer sums,
            DeviceBuffer states,
            long splits) {
        CallScope scope = call.scope;
        AttentionShape s = call.shape();
        scope.launch(
                "merge",
                call.variant(),
                "merge",
                WorkSize.covering(s.batch() * s.numHeads() * s.seqLenQ() * s.valueHeadDim(), scope.group()),
                call.struct(output, null, splits, 0),
                sums,
                states,
                output.buffer(),
                to.state(),
                to.rows().buffer(),
                call.sinks);
        scope.free(sums);
        scope.free(states);
    }
}
