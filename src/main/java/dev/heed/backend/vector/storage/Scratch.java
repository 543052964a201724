package dev.heed.backend.vector.storage;

import dev.heed.backend.vector.kernels.PairRows;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The working memory of one thread during one call. It grows as needed and is reused by later calls. */
public final class Scratch {
    public final Rows keys = new Rows();
    public final Rows values = new Rows();
    public final Rows queries = new Rows();
    public final Rows gradients = new Rows();

    public final StoredRows stored = new StoredRows();
    public final Bf16Rows bf16 = new Bf16Rows();
    public final PairRows pairs = new PairRows();

    private final List<Section> sections = new ArrayList<>();

    public float[] packed = new float[0];
    public float[] tile = new float[0];
    public float[] tileToo = new float[0];
    public float[] strip = new float[0];
    public float[] secondStrip = new float[0];
    public float[] deltas = new float[0];
    public boolean[] masked = new boolean[0];
    public boolean[] empty = new boolean[0];
    public float[] sums = new float[0];
    public float[] row = new float[0];
    public byte[] limbs = new byte[0];
    public float[] units = new float[0];
    public short[] narrow = new short[0];
    public double[] totals = new double[0];
    public float[] keySums = new float[0];
    public float[] valueSums = new float[0];
    public final LongSums keyTotals = new LongSums();
    public final LongSums valueTotals = new LongSums();

    /** Additional working memory of one driver. It is created when a thread first uses it, and reused by later calls. */
    public interface Section {
        /** Drops the references to the caller's arrays. */
        void forget();
    }

    /** {@return the section of the given class in this scratch, created when first requested} */
    public <T extends Section> T section(Class<T> type, Supplier<T> create) {
        for (Section section : sections) {
            if (type.isInstance(section)) {
                return type.cast(section);
            }
        }
        T section = create.get();
        sections.add(section);
        return section;
    }

    /**
     * A pool of scratch objects that are not in use. It never holds more than the largest number of threads that computed
     * at the same time.
     */
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
            scratch.sections.forEach(Section::forget);
            free.push(scratch);
        }
    }
}
