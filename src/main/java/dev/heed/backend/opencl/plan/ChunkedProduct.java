package dev.heed.backend.opencl.plan;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.HostSums;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The product of matrices in host memory, {@code to = left right + bias}. The device computes it block by block, so that the
 * matrices need not fit in device memory. If the depth is cut into slices, their products are added up on the device, in order.
 */
final class ChunkedProduct {
    private static final long TILE = 64;

    private final Engine engine;
    private final boolean f64;

    ChunkedProduct(Engine engine, boolean f64) {
        this.engine = engine;
        this.f64 = f64;
    }

    /** An operation on a block of the product before the block is copied to the host. */
    interface Finish {
        /**
         * {@return the block to copy to the host}
         *
         * @param sums the block of the product, in the compute type
         * @param row the index in the product of the block's first row
         * @param column the index in the product of the block's first column
         */
        DeviceTensor apply(CallScope scope, DeviceTensor sums, long row, long column);
    }

    private record Sizes(long rows, long columns, long depth) {
        Sizes halved(int axis) {
            return new Sizes(
                    axis == 0 ? half(rows) : rows,
                    axis == 1 ? half(columns) : columns,
                    axis == 2 ? half(depth) : depth);
        }

        private static long half(long size) {
            long half = Math.ceilDiv(size, 2L);
            return half > TILE ? Math.ceilDiv(half, TILE) * TILE : half;
        }
    }

    void multiply(Tensor left, Tensor right, @Nullable Tensor bias, Tensor to) {
        multiply(left, right, bias, to, (scope, sums, row, column) -> sums);
    }

    void multiply(Tensor left, Tensor right, @Nullable Tensor bias, Tensor to, Finish finish) {
        long rows = left.size(0);
        long columns = right.size(1);
        Sizes block = fitting(left, right, to);
        for (long column = 0; column < columns; column += block.columns()) {
            long columnTo = Math.min(columns, column + block.columns());
            for (long row = 0; row < rows; row += block.rows()) {
                long rowTo = Math.min(rows, row + block.rows());
                try (var scope = new CallScope(engine, f64)) {
                    DeviceTensor sums = sums(
                            scope,
                            left.slice(0, row, rowTo),
                            right.slice(1, column, columnTo),
                            bias == null ? null : bias.slice(0, column, columnTo),
                            block.depth());
                    DeviceTensor done = finish.apply(scope, sums, row, column);
                    Tensor target = to.slice(0, row, rowTo).slice(1, column, columnTo);
                    Results.read(scope, scope.converted(done, target.type()), target);
                }
            }
        }
    }

    private DeviceTensor sums(CallScope scope, Tensor left, Tensor right, @Nullable Tensor bias, long step) {
        DeviceTensor sums = scope.allocate(scope.real(), left.size(0), right.size(1));
        DeviceTensor added = bias == null ? null : scope.upload(bias, scope.real());
        long depth = left.size(1);
        for (long from = 0; from < depth; from += step) {
            long to = Math.min(depth, from + step);
            try (var some = new CallScope(engine, f64)) {
                new Projection(some)
                        .multiply(
                                some.upload(left.slice(1, from, to)),
                                some.upload(right.slice(0, from, to)),
                                to == depth ? added : null,
                                sums,
                                from > 0);
            }
        }
        return sums;
    }

    /** {@return the sizes of blocks that fit: repeatedly halves the axis whose halving saves the most memory} */
    private Sizes fitting(Tensor left, Tensor right, Tensor to) {
        var sizes = new Sizes(left.size(0), right.size(1), left.size(1));
        while (!engine.hasRoom(bytes(sizes, left, right, to), largest(sizes))
                && sizes.rows() * sizes.columns() * sizes.depth() > 1) {
            Sizes best = sizes;
            for (int axis = 0; axis < 3; axis++) {
                Sizes halved = sizes.halved(axis);
                if (bytes(halved, left, right, to) < bytes(best, left, right, to)) {
                    best = halved;
                }
            }
            if (best.equals(sizes)) {
                break;
            }
            sizes = best;
        }
        return sizes;
    }

    private long real() {
        return f64 ? Double.BYTES : Float.BYTES;
    }

    /**
     * {@return the device memory in bytes that a block needs} This includes two more blocks in the compute type for a
     * {@link Finish}, and one block in the target's type.
     */
    private long bytes(Sizes s, Tensor left, Tensor right, Tensor to) {
        return s.rows() * s.depth() * left.type().bytes()
                + s.depth() * s.columns() * right.type().bytes()
                + s.columns() * real()
                + s.rows() * s.columns() * (3 * real() + to.type().bytes())
                + Projection.scratch(engine, f64, s.rows(), s.columns(), s.depth());
    }

    private long largest(Sizes s) {
        long cells = Math.max(s.rows() * s.columns(), s.depth() * Math.max(s.rows(), s.columns()));
        return Math.max(cells * real(), Projection.scratch(engine, f64, s.rows(), s.columns(), s.depth()));
    }

    /** Writes the sum of each column of a matrix to {@code to}, {@code [columns]}. */
    void columnSums(Tensor matrix, Tensor to) {
        long rows = matrix.size(0);
        long columns = matrix.size(1);
        var sums = new HostSums(columns);
        long width = Math.min(columns, 1 << 16);
        long height = rows;
        while (height > 1
                && !engine.hasRoom(height * width * (matrix.type().bytes() + real()), height * width * real())) {
            height = Math.ceilDiv(height, 2L);
        }
        for (long column = 0; column < columns; column += width) {
            long columnTo = Math.min(columns, column + width);
            for (long row = 0; row < rows; row += height) {
                try (var scope = new CallScope(engine, f64)) {
                    Tensor block =
                            matrix.slice(0, row, Math.min(rows, row + height)).slice(1, column, columnTo);
                    DeviceTensor partial = scope.allocate(scope.real(), columnTo - column);
                    new Projection(scope).columnSums(scope.upload(block), partial);
                    HostSums.add(scope, partial, sums.all().slice(0, column, columnTo));
                }
            }
        }
        try (var scope = new CallScope(engine, f64)) {
            sums.deliver(scope, to);
        }
    }
}
