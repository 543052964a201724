package dev.heed.backend.vector;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The working memory of one thread inside one call. It grows to what was needed and is kept for the next call. */
final class Scratch {
    final WideScratch wide = new WideScratch();
    final Rows keys = new Rows();
    final Rows values = new Rows();
    final Rows queries = new Rows();
    final Rows gradients = new Rows();

    final StoredRows stored = new StoredRows();
    final Bf16Rows bf16 = new Bf16Rows();
    final PairRows pairs = new PairRows();

    private final List<Panel> panels = new ArrayList<>();

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

    /** {@return one of the panels of a task; each reads the keys and values that are at hand} */
    Panel panel(int index) {
        while (panels.size() <= index) {
            panels.add(new Panel());
        }
        return panels.get(index);
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
            scratch.wide.forget();
            free.push(scratch);
        }
    }
}
