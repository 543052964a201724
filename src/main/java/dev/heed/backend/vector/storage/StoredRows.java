package dev.heed.backend.vector.storage;

import dev.heed.ffi.NativeKernels.Runs;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Rows of one head in their storage type: read in place if each row is contiguous and aligned to the element size, else
 * copied. They form one or more runs; a run is a range of consecutive rows.
 */
public final class StoredRows {
    public MemorySegment data = MemorySegment.NULL;
    public long at;

    /** The distance between the starts of successive rows, in elements. */
    public long row;

    private long runStride;
    private byte[] copy = new byte[0];

    /** Drops the reference to the caller's memory. */
    public void forget() {
        data = MemorySegment.NULL;
    }

    /** Whether the rows of a tensor can be read in place. */
    public static boolean inPlace(Tensor tensor) {
        return (tensor.stride(-1) == 1 || tensor.size(-1) == 1)
                && tensor.segment().address() % tensor.type().bytes() == 0;
    }

    /** Loads {@code count} rows, beginning with row {@code from}. */
    public StoredRows load(Tensor tensor, long batch, long head, long from, int count) {
        return load(tensor, batch, head, from, 0, 1, count);
    }

    /**
     * Loads {@code runs} runs of {@code count} rows. The first run begins with row {@code from}; successive runs begin
     * {@code apart} rows apart.
     */
    public StoredRows load(Tensor tensor, long batch, long head, long from, long apart, int runs, int count) {
        data = tensor.segment();
        at = tensor.position(batch, head, from, 0);
        row = tensor.stride(2);
        runStride = apart * row;
        if (!inPlace(tensor)) {
            copy(tensor, runs, count);
        }
        return this;
    }

    /** {@return the loaded rows as the argument of a native call} */
    public Runs runs(int runs, int count) {
        return new Runs(data, at, row, runStride, runs, count);
    }

    private void copy(Tensor tensor, int runs, int count) {
        int bytes = tensor.type().bytes();
        int width = (int) tensor.size(3);
        int length = Math.multiplyExact(Math.multiplyExact(runs * count, width), bytes);
        copy = copy.length >= length ? copy : new byte[length];
        MemorySegment to = MemorySegment.ofArray(copy);
        long there = 0;
        for (int run = 0; run < runs; run++) {
            for (int j = 0; j < count; j++) {
                long first = at + run * runStride + j * row;
                for (int d = 0; d < width; d++, there += bytes) {
                    long here = (first + d * tensor.stride(3)) * bytes;
                    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, here, to, ValueLayout.JAVA_BYTE, there, bytes);
                }
            }
        }
        data = to;
        at = 0;
        row = width;
        runStride = (long) count * width;
    }
}
