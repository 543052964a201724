package dev.heed.mechanism;

import dev.heed.random.Philox;
import dev.heed.tensor.Tensor;

/**
 * Gumbel noise {@code -ln(-ln u)}, {@code u} uniform in (0, 1), for every query-key pair of an attention. A
 * counter-based generator makes the noise the same on every backend.
 */
final class Gumbel {
    private final long seed;

    Gumbel(long seed) {
        this.seed = seed;
    }

    /** Adds the noise of some query rows to the elements of a {@code [batch, numHeads, rows, seqLenKv]} tensor. */
    void addTo(Tensor numbers, long firstRow) {
        int[] words = new int[4];
        for (long b = 0; b < numbers.size(0); b++) {
            for (long h = 0; h < numbers.size(1); h++) {
                for (long i = 0; i < numbers.size(2); i++) {
                    for (long j = 0; j < numbers.size(3); j++) {
                        if ((j & 3) == 0) { // one call of scramble covers four keys, as in Philox.uniform
                            words[0] = (int) (j >>> 2);
                            words[1] = (int) (firstRow + i);
                            words[2] = (int) h;
                            words[3] = (int) b;
                            Philox.scramble(words, seed);
                        }
                        double uniform = ((words[(int) (j & 3)] & 0xFFFFFFFFL) + 0.5) * 0x1p-32;
                        numbers.set(numbers.get(b, h, i, j) - Math.log(-Math.log(uniform)), b, h, i, j);
                    }
                }
            }
        }
    }

    /**
     * For each batch entry, with the given probability, replaces the keys of all its rows by {@link Choice#EXPECTED}.
     * Rows without a key stay unchanged. The random number is drawn with the counters of head {@code 2^32 - 1} and
     * query {@code 2^32 - 1}, which no attention uses.
     */
    void mix(Tensor keys, double expectedShare) {
        for (long b = 0; b < keys.size(0); b++) {
            for (long h = 0; Philox.uniform(seed, b, -1, -1, 0) < expectedShare && h < keys.size(1); h++) {
                for (long i = 0; i < keys.size(2); i++) {
                    if (keys.get(b, h, i) >= 0) {
                        keys.set(Choice.EXPECTED, b, h, i);
                    }
                }
            }
        }
    }
}
