/* The loop over groups of four keys that all kernels for scores of a few queries share. */
#ifndef HEED_FOUR_KEYS_H
#define HEED_FOUR_KEYS_H

#include <stdint.h>

/* Calls DO(k0, k1, k2, k3, first, stride, n) for each group of n = 1 to 4 keys; the pointers after the first n repeat k0. Score i
 * of the group belongs at index first + i * stride of a row of s. */
#define FOUR_KEYS(element, DO)                                                                                         \
    if (runs == 4) {                                                                                                   \
        for (int64_t j = 0; j < count; j++) {                                                                          \
            const element *key = k + k_offset + j * ldk;                                                               \
            DO(key, key + run_stride, key + 2 * run_stride, key + 3 * run_stride, j, count, 4);                        \
        }                                                                                                              \
    } else {                                                                                                           \
        for (int64_t run = 0; run < runs; run++) {                                                                     \
            for (int64_t j = 0; j < count; j += 4) {                                                                   \
                const element *key = k + k_offset + run * run_stride + j * ldk;                                        \
                int64_t n = count - j < 4 ? count - j : 4;                                                             \
                DO(key, n > 1 ? key + ldk : key, n > 2 ? key + 2 * ldk : key, n > 3 ? key + 3 * ldk : key,             \
                    run *count + j, 1, n);                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }

static inline void put(const float *four, int64_t n, float *to, int64_t stride) {
    for (int64_t i = 0; i < n; i++) {
        to[i * stride] = four[i];
    }
}

#endif
