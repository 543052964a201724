package dev.heed.backend.opencl.plan;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.kernels.MatrixBackward;
import dev.heed.backend.opencl.kernels.MatrixPrefill;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.backend.opencl.score.LoweredFootprint;
import dev.heed.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** The device memory of a backward pass: computes the bytes of a chunk, and cuts a call into chunks that fit. */
final class BackwardFootprint {
    private static final long FIELDS = 6; // per row: 4 statistics, a term of the sink's gradient, the LSE's gradient
    private static final long TILE = 64;

    private final Engine engine;
    private final Operands in;

    BackwardFootprint(Engine engine, Operands in) {
        this.engine = engine;
        this.in = in;
    }

    private boolean fits(Chunk chunk) {
        return engine.hasRoom(total(chunk), largest(chunk));
    }

    /** {@return chunks along batch and key/value heads, with all queries and keys; a chunk of one head may not fit} */
    List<Chunk> chunks() {
        List<Chunk> chunks = new ArrayList<>();
        cut(Chunk.whole(in.shape()), chunks);
        return chunks;
    }

    private void cut(Chunk chunk, List<Chunk> chunks) {
        boolean one = chunk.batchTo() - chunk.batchFrom() == 1 && chunk.kvHeadTo() - chunk.kvHeadFrom() == 1;
        if (one || fits(chunk)) {
            chunks.add(chunk);
        } else {
            chunk.halves().forEach(half -> cut(half, chunks));
        }
    }

    /**
     * The blocks of queries and of keys of a chunk. Any block of queries fits the device together with any block of keys.
     *
     * @param chunk a chunk with all queries and keys
     * @param queries queries per block
     * @param keys keys per block
     */
    record Blocks(Chunk chunk, long queries, long keys) {
        boolean isWhole() {
            return ofQueries().size() == 1 && ofKeys().size() == 1;
        }

        List<Chunk> ofQueries() {
            List<Chunk> blocks = new ArrayList<>();
            for (long from = chunk.queryFrom(); from < chunk.queryTo(); from += queries) {
                blocks.add(chunk.withQueries(from, Math.min(chunk.queryTo(), from + queries)));
            }
            return blocks;
        }

        List<Chunk> ofKeys() {
            List<Chunk> blocks = new ArrayList<>();
            for (long from = chunk.keyFrom(); from < chunk.keyTo(); from += keys) {
                blocks.add(chunk.withKeys(from, Math.min(chunk.keyTo(), from + keys)));
            }
            return blocks;
        }
    }

    /** {@return blocks, halved until they fit; if none fit, blocks of one query and one key, whose allocation then fails} */
    Blocks blocks(Chunk chunk) {
        long queries = chunk.queryTo() - chunk.queryFrom();
        long keys = chunk.keyTo() - chunk.keyFrom();
        while (Math.max(queries, keys) > 1
                && !fits(chunk.withQueries(chunk.queryFrom(), chunk.queryFrom() + queries)
                        .withKeys(chunk.keyFrom(), chunk.keyFrom() + keys))) {
            if (queries * chunk.whole().groupSize() >= keys && queries > 1) {
                queries = half(queries);
            } else {
                keys = half(keys);
            }
        }
        return new Blocks(chunk, queries, keys);
    }

    /** {@return half of a count of rows, rounded up to whole tiles if it is larger than a tile} */
    private static long half(long count) {
        long half = Math.ceilDiv(count, 2L);
        return half > TILE ? Math.ceilDiv(half, TILE) * TILE : half;
    }

    /** {@return the bytes of a chunk: all its tensors and scratch memory together} */
    long total(Chunk chunk) {
        AttentionShape s = chunk.shape();
        long real = in.type() == DType.F64 ? Double.BYTES : Float.BYTES;
        boolean copies = engine.family == Engine.Family.LANES && in.type().bytes() < real;
        long element = in.type().bytes() + (copies ? real : 0);
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        long keys = s.batch() * s.numKvHeads() * s.seqLenKv();
        long width = s.headDim() + s.valueHeadDim();
        long bytes = rows * width * element + rows * s.headDim() * (real + element) + rows * FIELDS * real;
        bytes += rows
                * 2
                * (s.valueHeadDim() + 1)
                * real; // output, its gradient, row maxima and sums in the compute type
        bytes += keys * width * (2 * element + real);
        if (in.options().bias() != null) {
            bytes += 3 * rows * s.seqLenKv() * real + s.seqLenQ() * s.seqLenKv() * real;
        }
        if (engine.matrix() != null) {
            bytes += MatrixPrefill.copies(s, in.type(), in.options().tf32());
        }
        bytes += in.mask().bytes(chunk);
        bytes += engine.matrix() == null ? 0 : MatrixBackward.copies(s, in.type());
        return bytes + lowered(chunk).backward();
    }

    private LoweredFootprint lowered(Chunk chunk) {
        return new LoweredFootprint(engine, chunk.shape(), in.options().score().pattern(), in.type());
    }

    private long largest(Chunk chunk) {
        AttentionShape s = chunk.shape();
        long real = in.type() == DType.F64 ? Double.BYTES : Float.BYTES;
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        long widest = Math.max(FIELDS, Math.max(s.headDim(), s.valueHeadDim()));
        return Math.max(
                Math.max(lowered(chunk).largest(), in.mask().bytes(chunk)),
                Math.max(
                                Math.max(rows, s.batch() * s.numKvHeads() * s.seqLenKv()) * widest,
                                in.options().bias() != null ? rows * s.seqLenKv() : 0)
                        * real);
    }
}
