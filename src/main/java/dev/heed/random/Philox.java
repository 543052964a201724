package dev.heed.random;

/**
 * The random number generator Philox 4x32 with 10 rounds (Salmon et al. 2011): it maps a 128-bit counter and a 64-bit key
 * to four random 32-bit words. It has no state, so the numbers do not depend on the device or the order of the calls.
 *
 * <p>Attention draws one number for each (batch, query head, query, key). The counter is {@code (key / 4, query, head,
 * batch)}, the word is {@code key % 4}, and Philox's key is the seed, low word first.
 */
public final class Philox {
    private static final int MULTIPLIER_0 = 0xD2511F53;
    private static final int MULTIPLIER_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final int ROUNDS = 10;

    private Philox() {}

    /** Replaces the four words of a counter with the four random words of this counter and the seed. */
    public static void scramble(int[] counter, long seed) {
        int key0 = (int) seed;
        int key1 = (int) (seed >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = (MULTIPLIER_0 & 0xFFFFFFFFL) * (counter[0] & 0xFFFFFFFFL);
            long product1 = (MULTIPLIER_1 & 0xFFFFFFFFL) * (counter[2] & 0xFFFFFFFFL);
            counter[0] = (int) (product1 >>> 32) ^ counter[1] ^ key0;
            counter[1] = (int) product1;
            counter[2] = (int) (product0 >>> 32) ^ counter[3] ^ key1;
            counter[3] = (int) product0;
            key0 += WEYL_0;
            key1 += WEYL_1;
        }
    }

    /** {@return a uniform number in [0, 1), a multiple of 2^-32, for one query, key, query head and batch entry} */
    public static double uniform(long seed, long batch, long head, long query, long key) {
        int[] words = {(int) (key >>> 2), (int) query, (int) head, (int) batch};
        scramble(words, seed);
        return (words[(int) (key & 3)] & 0xFFFFFFFFL) * 0x1p-32;
    }
}
