package dev.heed.backend.opencl.product;

import dev.heed.backend.opencl.device.Arguments;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.opencl.WorkSize;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import org.jspecify.annotations.Nullable;

/** The kernels of {@code rows.cl}: transforms of rows, {@code [batch, heads, rows, headDim]}, and sums for gradients. */
public final class RowKernels {
    private static final int LONGS = 13;
    private static final int REALS = 2;
    private static final int AXES = 4;

    /** Rows per block in {@link #products}; blocks are longer if their number would exceed {@link #BLOCKS}. */
    private static final long ROWS = 64;

    /** Maximum number of blocks of all matrices together; if there are more matrices than this, each is one block. */
    private static final long BLOCKS = 256;

    private final CallScope scope;

    public RowKernels(CallScope scope) {
        this.scope = scope;
    }

    /**
     * {@return {@code strength x / |x|} for each row {@code x}}
     *
     * @param strength the strength of all rows if {@code strengths} is null
     * @param strengths strengths that broadcast to {@code [batch, heads, rows]}, or null
     */
    public DeviceTensor normalised(DeviceTensor rows, double strength, @Nullable DeviceTensor strengths) {
        DeviceTensor to = scope.allocate(scope.real(), rows.shape());
        scope.launch(
                "rows",
                options(rows.type(), scope.real()),
                "normalise",
                size(rows.count() / rows.size(3)),
                lines(rows, rows.size(1), strength, strengths),
                rows.buffer(),
                strengths == null ? scope.nothing() : strengths.buffer(),
                to.buffer());
        return to;
    }

    /**
     * The gradients of {@link #normalised}.
     *
     * @param rows gradients of the rows
     * @param strengths gradients of the rows' strengths, {@code [batch, heads, rows, 1]}
     */
    public record NormalisedBack(DeviceTensor rows, DeviceTensor strengths) {}

    public NormalisedBack normalisedBack(
            DeviceTensor rows, double strength, @Nullable DeviceTensor strengths, DeviceTensor gradient) {
        var back = new NormalisedBack(
                scope.allocate(scope.real(), rows.shape()),
                scope.allocate(scope.real(), rows.size(0), rows.size(1), rows.size(2), 1));
        scope.launch(
                "rows",
                options(rows.type(), gradient.type()),
                "normalise_back",
                size(rows.count() / rows.size(3)),
                lines(rows, rows.size(1), strength, strengths),
                rows.buffer(),
                strengths == null ? scope.nothing() : strengths.buffer(),
                gradient.buffer(),
                back.rows().buffer(),
                back.strengths().buffer());
        return back;
    }

    /**
     * {@return a copy of the rows for each head of the gradient} Rows whose gradient is zero become zeros, because they may
     * contain NaN.
     */
    public DeviceTensor reached(DeviceTensor rows, DeviceTensor gradient) {
        long heads = gradient.size(1);
        DeviceTensor to = scope.allocate(scope.real(), rows.size(0), heads, rows.size(2), rows.size(3));
        scope.launch(
                "rows",
                options(rows.type(), gradient.type()),
                "keep_reached",
                size(to.count() / to.size(3)),
                lines(rows, heads, 1, null),
                rows.buffer(),
                gradient.buffer(),
                to.buffer(),
                gradient.size(3));
        return to;
    }

    /**
     * {@return the products {@code x' y} (x transposed), summed over the batch entries, {@code [heads, in, out]}} Blocks of rows
     * are summed separately, so that a few products occupy the device. Their sums are added with compensation for rounding
     * errors, because there can be many blocks.
     *
     * @param x {@code [batch, heads, rows, in]}, packed
     * @param y {@code [batch, heads, rows, out]}, packed
     * @param perHead whether each head has a separate sum; if false, heads are summed too, and the result has one head
     */
    public DeviceTensor products(DeviceTensor x, DeviceTensor y, boolean perHead) {
        long matrices = x.size(0) * x.size(1);
        long rows = x.size(2);
        long cells = x.size(3) * y.size(3);
        long length = Math.ceilDiv(rows, blocks(matrices, rows));
        DeviceTensor partials = scope.allocate(scope.real(), x.size(0), x.size(1), Math.ceilDiv(rows, length), cells);
        scope.launch(
                "rows",
                options(scope.real(), scope.real()),
                "product_parts",
                size(partials.count()),
                x.buffer(),
                y.buffer(),
                partials.buffer(),
                matrices,
                rows,
                x.size(3),
                y.size(3),
                length);
        long heads = perHead ? x.size(1) : 1;
        DeviceTensor sums = sum(partials, 1, heads, 1, cells).reshape(heads, x.size(3), y.size(3));
        scope.free(partials.buffer());
        return sums;
    }

    /** {@return the maximum number of blocks of rows per matrix in {@link #products}} */
    public static long blocks(long matrices, long rows) {
        return Math.max(1, Math.min(Math.ceilDiv(rows, ROWS), BLOCKS / matrices));
    }

    /** {@return the sums of a packed tensor of four axes over the axes that have size 1 in {@code to}, the result's shape} */
    public DeviceTensor sum(DeviceTensor from, long... to) {
        DeviceTensor sums = scope.allocate(scope.real(), to);
        Object[] arguments = new Object[2 + 2 * AXES];
        arguments[0] = from.buffer();
        arguments[1] = sums.buffer();
        for (int axis = 0; axis < AXES; axis++) {
            arguments[2 + axis] = from.size(axis);
            arguments[2 + AXES + axis] = to[axis];
        }
        scope.launch("rows", options(scope.real(), scope.real()), "sum_axes", size(sums.count()), arguments);
        return sums;
    }

    private WorkSize size(long items) {
        return WorkSize.covering(items, scope.group());
    }

    private String options(DType from, DType gradient) {
        return "-DFROM=" + StorageCode.of(from) + " -DGRADIENT=" + StorageCode.of(gradient) + scope.realOption();
    }

    /** {@return the struct for {@code heads} heads; if {@code rows} has fewer heads, consecutive heads share one head of it} */
    private Arguments lines(DeviceTensor rows, long heads, double strength, @Nullable DeviceTensor strengths) {
        var struct = new Arguments(LONGS, REALS, scope.f64);
        struct.put(rows.at(), rows.stride(0), rows.stride(1), rows.stride(2));
        struct.put(heads, rows.size(2), rows.size(3), rows.size(0) * heads * rows.size(2), heads / rows.size(1));
        long[] steps = new long[3];
        int lead = strengths == null ? 3 : 3 - strengths.shape().length;
        for (int axis = lead; strengths != null && axis < 3; axis++) {
            steps[axis] = strengths.size(axis - lead) == 1 ? 0 : strengths.stride(axis - lead);
        }
        struct.put(steps).put(strengths != null);
        return struct.real(strength).real(ScoreFunction.Cosine.EPSILON);
    }
}
