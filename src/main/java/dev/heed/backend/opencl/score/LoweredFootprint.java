package dev.heed.backend.opencl.score;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.backend.opencl.product.RowKernels;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;

/** The device memory of a score function's rewritten rows and parameters, in addition to the memory of the attention kernels. */
public final class LoweredFootprint {
    private static final long SHORTEST_BLOCK = 16;

    private final Engine engine;
    private final AttentionShape given;
    private final AttentionShape lowered;
    private final ScorePattern pattern;
    private final DType type;
    private final boolean f64;

    /**
     * Creates the footprint of a chunk.
     *
     * @param given the shape of the chunk
     * @param type the storage type of the caller's rows, before they are rewritten
     */
    public LoweredFootprint(Engine engine, AttentionShape given, ScorePattern pattern, DType type) {
        this.engine = engine;
        this.given = given;
        this.lowered = Lowering.shape(given, pattern);
        this.pattern = pattern;
        this.type = type;
        this.f64 = type == DType.F64;
    }

    private long real() {
        return f64 ? Double.BYTES : Float.BYTES;
    }

    private long queries() {
        return given.batch() * given.numHeads() * given.seqLenQ();
    }

    private long keys() {
        return given.batch() * lowered.numKvHeads() * given.seqLenKv();
    }

    /**
     * {@return bytes of the parameters and, if rows are rewritten, of packed copies of the inputs, the rewritten rows, the output
     * in the compute type, and scratch memory}
     */
    public long forward() {
        if (!Lowering.rewrites(pattern)) {
            return parameters();
        }
        long copies =
                (queries() * given.headDim() + keys() * (given.keyHeadDim() + given.valueHeadDim())) * type.bytes();
        long rows = queries() * (lowered.headDim() + given.valueHeadDim())
                + keys() * (lowered.headDim() + given.valueHeadDim());
        return copies + rows * real() + parameters() + scratch(false);
    }

    /**
     * {@return bytes of the gradients of the parameters with their partial sums and, if rows are rewritten, of {@link #forward}
     * and the gradients of the inputs and of the rewritten rows}
     */
    public long backward() {
        long blocks = given.batch() * given.numHeads() * Math.ceilDiv(given.seqLenQ(), SHORTEST_BLOCK);
        long sums = 2 * parameters() + blocks * lowered.headDim() * real();
        if (!Lowering.rewrites(pattern)) {
            return sums;
        }
        long rows = queries() * (lowered.headDim() + 2 * given.headDim() + given.valueHeadDim() + 1)
                + keys() * (lowered.headDim() + 2 * given.keyHeadDim() + 2 * given.valueHeadDim());
        return forward() + sums + rows * real() + scratch(true) + products();
    }

    /** {@return bytes of the largest single buffer} */
    public long largest() {
        long rows = Math.max(
                queries() * Math.max(given.headDim(), lowered.headDim()),
                keys() * Math.max(lowered.headDim(), Math.max(given.keyHeadDim(), given.valueHeadDim())));
        return Math.max(rows * real(), Math.max(parameters(), Math.max(products(), scratch(true))));
    }

    /** {@return bytes of the partial sums of the gradient of a parameter matrix} */
    private long products() {
        long matrices = given.batch() * given.numHeads();
        long cells = Math.max(given.headDim(), given.keyHeadDim()) * lowered.headDim();
        return switch (pattern.kind()) {
            case GENERAL, ADDITIVE, CONCAT ->
                matrices * RowKernels.blocks(matrices, Math.max(given.seqLenQ(), given.seqLenKv())) * cells * real();
            default -> 0;
        };
    }

    private long parameters() {
        long in = given.headDim() + given.keyHeadDim() + 2;
        long elements = switch (pattern.kind()) {
            case DOT, SCALED_DOT, CUSTOM -> 0;
            case GAUSSIAN -> given.numHeads();
            case COSINE -> queries();
            case GENERAL -> given.headDim() * given.keyHeadDim();
            case LOCATION -> 2 * given.headDim() * given.seqLenKv();
            case ADDITIVE, CONCAT -> in * lowered.headDim();
        };
        return elements * (pattern.perHead() ? given.numHeads() : 1) * real();
    }

    private long scratch(boolean backward) {
        return switch (pattern.kind()) {
            case GENERAL, ADDITIVE, CONCAT ->
                Math.max(scratch(queries(), given.headDim(), backward), scratch(keys(), given.keyHeadDim(), backward));
            default -> 0;
        };
    }

    private long scratch(long rows, long in, boolean backward) {
        long out = lowered.headDim();
        long forward = Projection.scratch(engine, f64, rows, out, in);
        return backward
                ? Math.max(
                        forward,
                        Math.max(
                                Projection.scratch(engine, f64, rows, in, out),
                                Projection.scratch(engine, f64, in, out, rows)))
                : forward;
    }
}
