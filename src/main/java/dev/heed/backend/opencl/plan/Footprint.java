package dev.heed.backend.opencl.plan;

import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.kernels.ForwardKernels;
import dev.heed.backend.opencl.kernels.MatrixPrefill;
import dev.heed.backend.opencl.score.LoweredFootprint;
import dev.heed.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** The device memory of a forward pass: computes the bytes of a chunk, and cuts a call into chunks that fit. */
final class Footprint {
    private final Engine engine;
    private final AttentionProblem problem;
    private final DType type;
    private final boolean f64;

    /** Creates the footprint of a problem whose queries, keys and values are stored in {@code type}. */
    Footprint(Engine engine, AttentionProblem problem, DType type) {
        this.engine = engine;
        this.problem = problem;
        this.type = type;
        this.f64 = type == DType.F64;
    }

    private boolean fits(Chunk chunk) {
        return engine.hasRoom(total(chunk), largest(chunk));
    }

    /** {@return chunks with all keys that fit, except that one panel of queries of one key/value head may not fit} */
    List<Chunk> chunks() {
        List<Chunk> fitting = new ArrayList<>();
        cut(Chunk.whole(problem.shape()), fitting);
        return fitting;
    }

    private void cut(Chunk chunk, List<Chunk> fitting) {
        List<Chunk> halves = chunk.halves();
        boolean onePanel =
                chunk.queryTo() - chunk.queryFrom() <= engine.panel(f64); // fewer queries would free almost no memory
        boolean keysOnly =
                chunk.batchTo() - chunk.batchFrom() == 1 && chunk.kvHeadTo() - chunk.kvHeadFrom() == 1 && onePanel;
        if (halves.size() == 1 || keysOnly || fits(chunk)) {
            fitting.add(chunk);
        } else {
            halves.forEach(half -> cut(half, fitting));
        }
    }

    /** {@return the chunk cut along its keys, in order; one chunk if all keys fit} */
    List<Chunk> keyChunks(Chunk chunk) {
        long count = 1;
        long keys = chunk.keyTo() - chunk.keyFrom();
        while (count < keys && !fits(chunk.withKeys(0, Math.ceilDiv(keys, count)))) {
            count *= 2;
        }
        long step = Math.ceilDiv(Math.ceilDiv(keys, count), 64)
                * 64; // a multiple of 64, so that tiles begin at the same keys as without chunks
        List<Chunk> chunks = new ArrayList<>();
        for (long from = 0; from < keys; from += step) {
            chunks.add(chunk.withKeys(from, Math.min(keys, from + step)));
        }
        return chunks;
    }

    /** {@return the bytes of a chunk: all its tensors and scratch memory together} */
    long total(Chunk chunk) {
        AttentionShape s = chunk.shape();
        long element = type.bytes();
        long real = f64 ? Double.BYTES : Float.BYTES;
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        long keys = s.batch() * s.numKvHeads() * s.seqLenKv();
        long cells = rows * s.seqLenKv();
        long bytes =
                rows * (s.headDim() + s.valueHeadDim()) * element + keys * (s.headDim() + s.valueHeadDim()) * element;
        bytes += rows * 5 * real; // statistics
        if (engine.matrix() != null) {
            bytes += MatrixPrefill.copies(s, type, problem.tf32());
        }
        long sumElements = ForwardKernels.sumsOf(engine, f64, s);
        bytes += sumElements * real
                + sumElements / s.valueHeadDim() * s.headDim() * real
                + 2L * real * rows * s.headDim();
        long requested =
                (problem.weights() ? 1L : 0) + (problem.topK() > 0 ? 1 : 0) + (problem.scores() != null ? 1 : 0);
        if (!problem.outputs().onlyOutputAndLse() && engine.family == Engine.Family.LANES && element < real) {
            bytes += (rows * s.headDim() + keys * (s.headDim() + s.valueHeadDim())) * real;
        }
        bytes += requested * cells * real + (long) problem.rows() * s.batch() * s.numHeads() * s.seqLenKv() * 2 * real;
        bytes += problem.topK() * rows * (real + Long.BYTES);
        if (problem.biasShape() != null) {
            bytes += cells * real; // upper bound: a bias that broadcasts is smaller
        }
        if (problem.maskPattern().contains("dense") || problem.maskPattern().contains("|")) {
            bytes += cells;
        }
        return bytes + lowered(chunk).forward();
    }

    private LoweredFootprint lowered(Chunk chunk) {
        return new LoweredFootprint(engine, chunk.shape(), problem.score(), type);
    }

    /** {@return the bytes of the largest single buffer of a chunk} */
    long largest(Chunk chunk) {
        AttentionShape s = chunk.shape();
        long real = f64 ? Double.BYTES : Float.BYTES;
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        long widest = Math.max(s.headDim(), s.valueHeadDim());
        boolean cells = problem.weights()
                || problem.topK() > 0
                || problem.scores() != null
                || problem.biasShape() != null
                || problem.maskPattern().contains("dense");
        return Math.max(
                Math.max(
                        Math.max(rows * widest * real, lowered(chunk).largest()),
                        ForwardKernels.sumsOf(engine, f64, s) * real),
                Math.max(
                        s.batch() * s.numKvHeads() * s.seqLenKv() * widest * type.bytes(),
                        cells ? rows * s.seqLenKv() * real : 0));
    }
}
