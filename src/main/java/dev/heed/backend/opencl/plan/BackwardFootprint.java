package dev.heed.backend.opencl.plan;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Part;
import dev.heed.backend.opencl.kernels.MatrixBackward;
import dev.heed.backend.opencl.kernels.MatrixPrefill;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.backend.opencl.score.LoweredFootprint;
import dev.heed.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** What a part of a backward pass takes on the device, and how a whole is cut into parts that fit. */
final class BackwardFootprint {
    private static final long FIELDS = 6; // of a row: statistics, its sink, the gradient of its LSE
    private static final long TILE = 64;

    private final Engine engine;
    private final Operands in;

    BackwardFootprint(Engine engine, Operands in) {
        this.engine = engine;
        this.in = in;
    }

    private boolean fits(Part part) {
        return engine.hasRoom(total(part), largest(part));
    }

    /** {@return parts of batches and key heads, all queries and keys each; where even one does not fit, that one} */
    List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        cut(Part.whole(in.shape()), parts);
        return parts;
    }

    private void cut(Part part, List<Part> parts) {
        boolean one = part.batchTo() - part.batchFrom() == 1 && part.kvHeadTo() - part.kvHeadFrom() == 1;
        if (one || fits(part)) {
            parts.add(part);
        } else {
            part.halves().forEach(half -> cut(half, parts));
        }
    }

    /**
     * Blocks of a part: any block of queries fits the device together with any block of keys.
     *
     * @param part all queries and keys
     * @param queries how many queries a block has
     * @param keys how many keys a block has
     */
    record Blocks(Part part, long queries, long keys) {
        boolean isWhole() {
            return ofQueries().size() == 1 && ofKeys().size() == 1;
        }

        List<Part> ofQueries() {
            List<Part> blocks = new ArrayList<>();
            for (long from = part.queryFrom(); from < part.queryTo(); from += queries) {
                blocks.add(part.withQueries(from, Math.min(part.queryTo(), from + queries)));
            }
            return blocks;
        }

        List<Part> ofKeys() {
            List<Part> blocks = new ArrayList<>();
            for (long from = part.keyFrom(); from < part.keyTo(); from += keys) {
                blocks.add(part.withKeys(from, Math.min(part.keyTo(), from + keys)));
            }
            return blocks;
        }
    }

    /** {@return the largest blocks that fit; one query and one key where nothing does, which the device then refuses} */
    Blocks blocks(Part part) {
        long queries = part.queryTo() - part.queryFrom();
        long keys = part.keyTo() - part.keyFrom();
        while (Math.max(queries, keys) > 1
                && !fits(part.withQueries(part.queryFrom(), part.queryFrom() + queries)
                        .withKeys(part.keyFrom(), part.keyFrom() + keys))) {
            if (queries * part.whole().groupSize() >= keys && queries > 1) {
                queries = half(queries);
            } else {
                keys = half(keys);
            }
        }
        return new Blocks(part, queries, keys);
    }

    /** Whole tiles, while there are any. */
    private static long half(long count) {
        long half = Math.ceilDiv(count, 2L);
        return half > TILE ? Math.ceilDiv(half, TILE) * TILE : half;
    }

    /** {@return the bytes of a part, all its tensors and scratch together} */
    long total(Part part) {
        AttentionShape s = part.shape();
        long real = in.type() == DType.F64 ? Double.BYTES : Float.BYTES;
        boolean copies = engine.family == Engine.Family.LANES && in.type().bytes() < real;
        long element = in.type().bytes() + (copies ? real : 0);
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        long keys = s.batch() * s.numKvHeads() * s.seqLenKv();
        long width = s.headDim() + s.valueHeadDim();
        long bytes = rows * width * element + rows * s.headDim() * (real + element) + rows * FIELDS * real;
        bytes += keys * width * (2 * element + real);
        if (in.options().bias() != null) {
            bytes += 3 * rows * s.seqLenKv() * real + s.seqLenQ() * s.seqLenKv() * real;
        }
        if (engine.matrix() != null) {
            bytes += MatrixPrefill.copies(s, in.type(), in.options().tf32());
        }
        if (in.mask().dense != null) {
            bytes += rows * s.seqLenKv();
        }
        bytes += engine.matrix() == null ? 0 : MatrixBackward.copies(s, in.type());
        return bytes + lowered(part).backward();
    }

    private LoweredFootprint lowered(Part part) {
        return new LoweredFootprint(engine, part.shape(), in.options().score().pattern(), in.type());
    }

    private long largest(Part part) {
        AttentionShape s = part.shape();
        long real = in.type() == DType.F64 ? Double.BYTES : Float.BYTES;
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        long widest = Math.max(FIELDS, Math.max(s.headDim(), s.valueHeadDim()));
        boolean cells = in.options().bias() != null || in.mask().dense != null;
        return Math.max(
                lowered(part).largest(),
                Math.max(
                                Math.max(rows, s.batch() * s.numKvHeads() * s.seqLenKv()) * widest,
                                cells ? rows * s.seqLenKv() : 0)
                        * real);
    }
}
