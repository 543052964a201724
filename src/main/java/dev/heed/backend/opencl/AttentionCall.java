package dev.heed.backend.opencl;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One attention, or a part of one, as its kernels see it: tensors on the device, mask and modifiers.
 *
 * <p>Without softcap, bias and ALiBi a score stays the bare product; the scale rides in the exponent's factor. The
 * difference from the largest score comes before the product with the factor, so that huge scores keep their exponents.
 */
final class AttentionCall {
    private static final int LONGS = 52;
    private static final int REALS = 5;
    private static final double LOG2E = 1 / Math.log(2);
    private static final double TWO_TO_32 = 0x1p32;

    final Work work;
    final Part part;
    final Placed query;
    final Placed key;
    final Placed value;
    final AttentionOptions options;

    /** Buffers that every kernel of an attention takes. */
    final DeviceBuffer bands;

    final DeviceBuffer denseCells;
    final DeviceBuffer biasCells;
    final DeviceBuffer slopes;
    final DeviceBuffer sinks;

    private final boolean modified;
    private final double scale;
    private final @Nullable Placed dense;
    private final @Nullable Placed bias;

    AttentionCall(
            Work work, Part part, AttentionOptions options, DeviceMask mask, Placed query, Placed key, Placed value) {
        this.work = work;
        this.part = part;
        this.options = options;
        this.query = query;
        this.key = key;
        this.value = value;
        this.scale = options.score().scale(part.whole().headDim());
        this.modified =
                options.softcap() != null || options.bias() != null || options.alibiSlopes() != null || scale < 0;
        this.bands = work.upload(part.bands(mask.bands));
        Tensor truths = mask.dense;
        this.dense = truths == null ? null : work.upload(part.cells(truths));
        this.denseCells = dense == null ? work.nothing() : dense.buffer();
        Tensor added = options.bias();
        this.bias = added == null ? null : work.upload(part.cells(added), work.real());
        this.biasCells = bias == null ? work.nothing() : bias.buffer();
        this.slopes = perHead(options.alibiSlopes());
        this.sinks = perHead(options.sink());
    }

    private DeviceBuffer perHead(@Nullable Tensor tensor) {
        return tensor == null
                ? work.nothing()
                : work.upload(tensor.slice(0, part.headFrom(), part.headTo()), work.real())
                        .buffer();
    }

    AttentionShape shape() {
        return part.shape();
    }

    @Nullable
    Placed bias() {
        return bias;
    }

    double scale() {
        return scale;
    }

    /** {@return compiler options of every kernel of this attention} */
    String variant() {
        return "-DSTORAGE=" + Engine.storage(query.type()) + " -DMODIFIED=" + (modified ? 1 : 0) + work.widths();
    }

    /** {@return the struct for a kernel that writes to a view of {@code output}} */
    Arguments struct(Placed output, @Nullable Placed outputGradient, long rows, long stage) {
        return struct(output, outputGradient, rows, stage, true, true);
    }

    Arguments struct(
            Placed output, @Nullable Placed outputGradient, long rows, long stage, boolean begins, boolean ends) {
        AttentionShape s = shape();
        AttentionShape whole = part.whole();
        Arguments struct = new Arguments(LONGS, REALS, work.wide);
        view(struct, query);
        view(struct, key);
        view(struct, value);
        view(struct, output);
        view(struct, outputGradient == null ? output : outputGradient);
        cells(struct, bias);
        cells(struct, dense);
        struct.put(s.batch(), s.numHeads(), s.numKvHeads(), s.seqLenQ(), s.seqLenKv(), s.headDim(), s.valueHeadDim());
        struct.put(part.batchFrom(), part.headFrom(), part.queryFrom(), part.keyFrom());
        struct.put(whole.seqLenKv() - whole.seqLenQ());
        struct.put(options.seed(), (long) Math.ceil(options.dropout() * TWO_TO_32));
        struct.put(begins).put(ends);
        struct.put(rows);
        struct.put(dense != null).put(bias != null).put(options.alibiSlopes() != null);
        struct.put(options.sink() != null).put(stage);
        struct.real(scale);
        double least = work.wide ? Double.MIN_NORMAL : Float.MIN_NORMAL; // above 0, so that minus infinity stays
        struct.real(modified ? LOG2E : Math.max(least, scale * LOG2E));
        struct.real(modified ? 1 : Math.max(least, scale));
        Double cap = options.softcap();
        struct.real(cap == null ? 0 : cap);
        struct.real(1 / (1 - options.dropout()));
        return struct;
    }

    private static void view(Arguments struct, Placed t) {
        struct.put(t.at(), t.stride(0), t.stride(1), t.stride(2));
    }

    private static void cells(Arguments struct, @Nullable Placed t) {
        if (t == null) {
            struct.put(0, 0, 0, 0, 0);
            return;
        }
        long[] steps = new long[4];
        int lead = 4 - t.shape().length;
        for (int axis = lead; axis < 4; axis++) {
            steps[axis] = t.size(axis - lead) == 1 ? 0 : t.stride(axis - lead);
        }
        struct.put(t.at(), steps[0], steps[1], steps[2], steps[3]);
    }
}
