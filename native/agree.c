/* Checks a set of kernels before it is used, in the process that uses it, because a processor, hypervisor or compiler may handle
 * untested instructions wrongly. The inputs of sums are small integers, so sums are exact in any order, and every kernel must
 * give the same bits as its portable version. The check runs when the library is loaded and takes about one millisecond for each
 * level. */
#include "kernels.h"
#include "number.h"

/* Sizes that leave a remainder in every kernel's blocks. */
enum { ROWS = 23, DEPTH = 75, PAIRS = (DEPTH + 1) / 2, KEYS = 7, QUERIES = 3, RUNS = 4 };

static uint32_t draw(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

static int whole(uint32_t *state) { return (int)(draw(state) >> 28) - 8; }

static void floats(float *x, int64_t count, uint32_t *state) {
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)whole(state);
    }
}

static void halves(uint16_t *x, int64_t count, int f16, uint32_t *state) {
    for (int64_t i = 0; i < count; i++) {
        float value = (float)whole(state);
        x[i] = f16 ? float_to_f16(value) : float_to_bf16(value);
    }
}

static void bytes(int8_t *x, int64_t count, uint32_t *state) {
    for (int64_t i = 0; i < count; i++) {
        x[i] = (int8_t)(draw(state) >> 24);
    }
}

/* Runs the same call with the portable versions and with the set on the same buffer, and compares the results. The buffer is
 * restored after each call. */
#define SAME(result, size, call)                                                                                       \
    do {                                                                                                               \
        const struct kernels *one = portable;                                                                          \
        memcpy(before, result, size);                                                                                  \
        one->call;                                                                                                     \
        memcpy(expected, result, size);                                                                                \
        memcpy(result, before, size);                                                                                  \
        one = set;                                                                                                     \
        one->call;                                                                                                     \
        if (memcmp(expected, result, size) != 0) {                                                                     \
            return 0;                                                                                                  \
        }                                                                                                              \
        memcpy(result, before, size);                                                                                  \
    } while (0)

int heed_agree(const struct kernels *set, const struct kernels *portable) {
    static uint16_t a[ROWS * 2 * PAIRS], b[PAIRS * 2 * HEED_LANES], k[RUNS * KEYS * DEPTH], f[RUNS * KEYS * DEPTH];
    static float c[ROWS * HEED_LANES], query[QUERIES * DEPTH], s[QUERIES * RUNS * KEYS], sums[QUERIES * DEPTH],
        scales[RUNS * KEYS];
    static int8_t limbs[QUERIES * HEED_LIMBS * DEPTH], i8[RUNS * KEYS * DEPTH];
    static uint16_t narrow[QUERIES * DEPTH];
    static char before[PAIRS * 2 * HEED_LANES * 2], expected[PAIRS * 2 * HEED_LANES * 2];
    static float units[QUERIES];
    uint32_t state = 7;
    halves(a, ROWS * 2 * PAIRS, 0, &state);
    halves(b, PAIRS * 2 * HEED_LANES, 0, &state);
    halves(k, RUNS * KEYS * DEPTH, 0, &state);
    halves(f, RUNS * KEYS * DEPTH, 1, &state);
    halves(narrow, QUERIES * DEPTH, 0, &state);
    floats(c, ROWS * HEED_LANES, &state);
    floats(query, QUERIES * DEPTH, &state);
    floats(s, QUERIES * RUNS * KEYS, &state);
    floats(sums, QUERIES * DEPTH, &state);
    floats(scales, RUNS * KEYS, &state);
    floats(units, QUERIES, &state);
    bytes(limbs, QUERIES * HEED_LIMBS * DEPTH, &state);
    bytes(i8, RUNS * KEYS * DEPTH, &state);
    s[5] = 0;

    for (int64_t lanes = 16; lanes <= HEED_LANES; lanes *= 2) {
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            SAME(c, sizeof c, bf16_product(a, 0, 2 * PAIRS, 2, ROWS, b, 0, lanes, DEPTH, c, 0, HEED_LANES, accumulate));
            SAME(c, sizeof c, bf16_product(a, 0, 2, 2 * ROWS, ROWS, b, 0, lanes, DEPTH, c, 0, HEED_LANES, accumulate));
            SAME(c, sizeof c, bf16_product(a, 0, 2 * PAIRS, 2, ROWS - 4, b, 0, lanes, 2, c, 0, HEED_LANES, accumulate));
        }
        SAME(b, sizeof b, bf16_transpose(a, 0, 2 * PAIRS, lanes < ROWS ? lanes : ROWS, DEPTH, 1, b, 0, lanes));
        SAME(b, sizeof b, bf16_pairs(c, 0, HEED_LANES, ROWS, b, 0, lanes));
    }
    for (int spoil = 0; spoil < 2; spoil++) {
        int32_t finite = portable->bf16_interleave(k, 0, DEPTH, KEYS, DEPTH, b, 0, 2 * DEPTH);
        if (set->bf16_interleave(k, 0, DEPTH, KEYS, DEPTH, b, 0, 2 * DEPTH) != finite) {
            return 0;
        }
        SAME(b, sizeof b, bf16_interleave(k, 0, DEPTH, KEYS, DEPTH, b, 0, 2 * DEPTH));
        k[3] ^= 0x7f80 ^ (k[3] & 0x7f80); /* non-finite in the second iteration */
    }
    k[3] = 0;

    SAME(c, sizeof c, bf16_widen(k, 0, DEPTH, c, 0));
    SAME(c, sizeof c, f16_widen(f, 0, DEPTH, c, 0));
    SAME(c, sizeof c, i8_widen(i8, 0, DEPTH, 0.37f, c, 0));
    for (int i = 0; i < DEPTH; i++) { /* values that round, overflow or become subnormal */
        query[i] = bits_to_float((0x32800000u + draw(&state) % 0x15200000u) | (uint32_t)(i % 2) << 31);
    }
    query[1] = 1.00390625f;
    query[2] = 70000;
    query[3] = 0x1p-25f;
    SAME(narrow, sizeof narrow, bf16_narrow(query, 0, DEPTH, 1, DEPTH, narrow, 0, DEPTH));
    SAME(narrow, sizeof narrow, bf16_narrow(query, 0, DEPTH / 2, 2, DEPTH / 2, narrow, 0, DEPTH));
    SAME(narrow, sizeof narrow, f16_narrow(query, 0, DEPTH, narrow, 0));
    floats(query, QUERIES * DEPTH, &state);

    for (int64_t runs = RUNS; runs >= 1; runs -= RUNS - 1) { /* four runs, then one */
        int64_t keys = runs * KEYS, run_stride = KEYS * DEPTH;
        SAME(s, sizeof s, bf16_dots(narrow, 0, DEPTH, QUERIES, k, 0, DEPTH, run_stride, runs, KEYS, DEPTH, s, 0, keys));
        SAME(s, sizeof s, f16_dots(query, 0, DEPTH, QUERIES, f, 0, DEPTH, run_stride, runs, KEYS, DEPTH, s, 0, keys));
        SAME(s, sizeof s, i8_dots(limbs, 0, units, QUERIES, i8, 0, DEPTH, run_stride, runs, KEYS, DEPTH, scales, 0, 1,
            KEYS, s, 0, keys));
        for (int skip = 0; skip < 2; skip++) {
            SAME(sums, sizeof sums,
                bf16_pool(s, 0, keys, QUERIES, k, 0, DEPTH, run_stride, runs, KEYS, DEPTH, sums, 0, DEPTH, skip));
            SAME(sums, sizeof sums,
                f16_pool(s, 0, keys, QUERIES, f, 0, DEPTH, run_stride, runs, KEYS, DEPTH, sums, 0, DEPTH, skip));
            SAME(sums, sizeof sums, i8_pool(s, 0, keys, QUERIES, i8, 0, DEPTH, run_stride, runs, KEYS, DEPTH, scales, 0,
                1, KEYS, sums, 0, DEPTH, skip));
        }
    }
    return 1;
}
