/* Few queries against many keys: which four keys are next, whatever multiplies them. */
#ifndef HEED_FOUR_KEYS_H
#define HEED_FOUR_KEYS_H

#include <stdint.h>

/* Calls DO(k0, k1, k2, k3, to, apart, n): n of the four keys are there, their scores go to to, apart from each other. */
#define FOUR_KEYS(element, DO)                                                                                         \
    if (runs == 4) {                                                                                                   \
        for (int64_t j = 0; j < count; j++) {                                                                          \
            const element *key = k + k_at + j * k_row;                                                                 \
            DO(key, key + leap, key + 2 * leap, key + 3 * leap, j, count, 4);                                          \
        }                                                                                                              \
    } else {                                                                                                           \
        for (int64_t run = 0; run < runs; run++) {                                                                     \
            for (int64_t j = 0; j < count; j += 4) {                                                                   \
                const element *key = k + k_at + run * leap + j * k_row;                                                \
                int64_t n = count - j < 4 ? count - j : 4;                                                             \
                DO(key, n > 1 ? key + k_row : key, n > 2 ? key + 2 * k_row : key, n > 3 ? key + 3 * k_row : key,       \
                    run *count + j, 1, n);                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }

static inline void put(const float *four, int64_t n, float *to, int64_t apart) {
    for (int64_t i = 0; i < n; i++) {
        to[i * apart] = four[i];
    }
}

#endif
