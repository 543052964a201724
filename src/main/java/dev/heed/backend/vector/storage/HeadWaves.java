package dev.heed.backend.vector.storage;

import dev.heed.AttentionShape;
import java.util.function.IntConsumer;

/**
 * The key heads of a decode in waves, so that the states of their parts take a bounded memory: all parts of a wave are computed,
 * then merged.
 *
 * @param heads key heads of all batch entries
 * @param wave key heads of one wave
 */
public record HeadWaves(int heads, int wave) {
    /** {@return the waves of a shape, whose heads need {@code statesPerHead} elements each, of {@code maxStates} elements at most} */
    public static HeadWaves of(AttentionShape s, double statesPerHead, double maxStates) {
        int heads = Math.toIntExact(s.batch() * s.numKvHeads());
        return new HeadWaves(heads, (int) Math.min(heads, Math.max(1, maxStates / statesPerHead)));
    }

    /**
     * Runs all waves.
     *
     * @param splits of each head
     * @param begin is told the first head of each wave
     * @param split computes one part of one head of the wave
     * @param merge merges the parts of one head of the wave
     */
    public void run(Workers workers, int splits, IntConsumer begin, Workers.Task split, Workers.Task merge) {
        for (int first = 0; first < heads; first += wave) {
            int count = Math.min(wave, heads - first);
            begin.accept(first);
            workers.run(count * splits, split);
            workers.run(count, merge);
        }
    }
}
