package dev.heed.backend.vector.storage;

import dev.heed.AttentionShape;
import java.util.function.IntConsumer;

/**
 * The key/value heads of a decode call, divided into waves. A wave is a range of heads whose splits are all computed, then
 * merged, before the next wave begins. Waves limit the memory for the partial attention states.
 *
 * @param heads key/value heads of all batch entries
 * @param wave key/value heads per wave
 */
public record HeadWaves(int heads, int wave) {
    /**
     * {@return waves whose partial attention states have at most {@code maxStates} elements; the states of one head have
     * {@code statesPerHead} elements, and a wave has at least one head}
     */
    public static HeadWaves of(AttentionShape s, double statesPerHead, double maxStates) {
        int heads = Math.toIntExact(s.batch() * s.numKvHeads());
        return new HeadWaves(heads, (int) Math.min(heads, Math.max(1, maxStates / statesPerHead)));
    }

    /**
     * Runs all waves.
     *
     * @param splits splits per head
     * @param begin receives the index of the first head of a wave before the wave is computed
     * @param split computes split {@code index % splits} of head {@code index / splits} of the wave
     * @param merge merges the splits of one head of the wave
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
