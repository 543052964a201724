package dev.heed.backend.vector;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The working memory of one thread inside one call. It grows to what was needed and is kept for the next call. */
final class Scratch {
    final Rows keys = new Rows();
    final Rows values = new Rows();
    final Rows queries = new Rows();
    final Rows gradients = new Rows();

    final StoredRows stored = new StoredRows();
    final Bf16Rows bf16 = new Bf16Rows();
    final PairRows pairs = new PairRows();

    private final List<Part> parts = new ArrayList<>();

    float[] packed = new float[0];
    float[] tile = new float[0];
    float[] tileToo = new float[0];
    float[] strip = new float[0];
    float[] stripToo = new float[0];
    float[] deltas = new float[0];
    boolean[] hidden = new boolean[0];
    boolean[] empty = new boolean[0];
    float[] sums = new float[0];
    float[] row = new float[0];
    byte[] limbs = new byte[0];
    float[] units = new float[0];
    short[] narrow = new short[0];
    float[] keySums = new float[0];
    float[] valueSums = new float[0];

    /** Working memory of one driver: created at its first use by a thread, kept for the next call. */
    interface Part {
        /** Drops the references to the caller's arrays. */
        void forget();
    }

    /** {@return the part of a type, one for each thread} */
    <T extends Part> T part(Class<T> type, Supplier<T> create) {
        for (Part part : parts) {
            if (type.isInstance(part)) {
                return type.cast(part);
            }
        }
        T part = create.get();
        parts.add(part);
        return part;
    }

    /** Scratch that nobody uses at the moment; there are never more than threads that computed at the same time. */
    static final class Pool {
        private final ArrayDeque<Scratch> free = new ArrayDeque<>();

        synchronized Scratch take() {
            Scratch scratch = free.poll();
            return scratch == null ? new Scratch() : scratch;
        }

        synchronized void give(Scratch scratch) {
            scratch.keys.forget();
            scratch.values.forget();
            scratch.stored.forget();
            scratch.bf16.forget();
            scratch.parts.forEach(Part::forget);
            free.push(scratch);
        }
    }
}
