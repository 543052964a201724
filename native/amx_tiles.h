/* The six tile operations that the AMX kernel uses: the processor's instructions, or with HEED_AMX_EMULATED an emulation in plain
 * C, so that layouts and incomplete tiles can be tested on processors without AMX. The emulation aborts if the processor would
 * raise an exception.
 *
 * The product is emulated as documented for TDPBF16PS. Products of even elements are added in one chain and products of odd
 * elements in another, with one rounding per step. The results of both chains are added, then their sum is added to the tile.
 * Subnormal inputs and results are replaced by 0. */
#ifndef HEED_AMX_TILES_H
#define HEED_AMX_TILES_H

#include <stdint.h>
#include <string.h>

/* The operand of LDTILECFG. */
struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

_Static_assert(sizeof(struct tile_shapes) == 64, "64 bytes");

#ifndef HEED_AMX_EMULATED

#include <immintrin.h>

#define AMX __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c,amx-tile,amx-bf16")))
/* used instead of gcc's intrinsic, which declares that it reads 8 bytes, although all 64 must be in memory */
#define TILE_SHAPES(shapes) __asm__ volatile("ldtilecfg %0" ::"m"(*(shapes)))
#define TILE_RELEASE() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
/* gcc's intrinsic does not declare that it reads memory; the barrier keeps earlier stores before the load */
#define TILE_LOAD(t, from, stride_bytes)                                                                               \
    do {                                                                                                               \
        __asm__ volatile("" ::: "memory");                                                                             \
        _tile_loadd(t, from, (size_t)(stride_bytes));                                                                  \
    } while (0)
#define TILE_STORE(t, to, stride_bytes) _tile_stored(t, to, (size_t)(stride_bytes))
#define TILE_DOT(c, a, b) _tile_dpbf16ps(c, a, b)

#else

#include "number.h"
#include <stdlib.h>

#define AMX __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c")))
#define TILE_SHAPES(shapes) emulated_shapes(shapes)
#define TILE_RELEASE() memset(&tile_now, 0, sizeof tile_now)
#define TILE_ZERO(t) memset(tile_of(t), 0, sizeof(struct tile))
#define TILE_LOAD(t, from, stride_bytes) emulated_load(t, from, stride_bytes)
#define TILE_STORE(t, to, stride_bytes) emulated_store(t, to, stride_bytes)
#define TILE_DOT(c, a, b) emulated_dot(c, a, b)

struct tile {
    unsigned char row[16][64];
};

static _Thread_local struct {
    struct tile_shapes shapes;
    struct tile tiles[8];
} tile_now;

static inline void tile_must(int holds) {
    if (!holds) {
        abort();
    }
}

static inline struct tile *tile_of(int t) {
    tile_must(tile_now.shapes.palette == 1 && t >= 0 && t < 8);
    tile_must(tile_now.shapes.rows[t] > 0 && tile_now.shapes.row_bytes[t] > 0);
    return &tile_now.tiles[t];
}

static inline void emulated_shapes(const struct tile_shapes *shapes) {
    static const uint8_t none[14];
    memset(&tile_now, 0, sizeof tile_now);
    tile_must(shapes->palette == 1 && shapes->start_row == 0 && memcmp(shapes->reserved, none, sizeof none) == 0);
    for (int t = 0; t < 16; t++) {
        tile_must(shapes->rows[t] <= 16 && shapes->row_bytes[t] <= 64 && (t < 8 || shapes->rows[t] == 0));
        tile_must((shapes->rows[t] == 0) == (shapes->row_bytes[t] == 0) && (t < 8 || shapes->row_bytes[t] == 0));
    }
    tile_now.shapes = *shapes;
}

static inline void emulated_load(int t, const void *from, int64_t stride_bytes) {
    struct tile *to = tile_of(t);
    memset(to, 0, sizeof *to);
    for (int r = 0; r < tile_now.shapes.rows[t]; r++) {
        memcpy(to->row[r], (const unsigned char *)from + r * stride_bytes, tile_now.shapes.row_bytes[t]);
    }
}

static inline void emulated_store(int t, void *to, int64_t stride_bytes) {
    const struct tile *from = tile_of(t);
    for (int r = 0; r < tile_now.shapes.rows[t]; r++) {
        memcpy((unsigned char *)to + r * stride_bytes, from->row[r], tile_now.shapes.row_bytes[t]);
    }
}

static inline float normal_or_zero(float value) {
    uint32_t bits = float_to_bits(value);
    return (bits & 0x7f800000u) == 0 ? bits_to_float(bits & 0x80000000u) : value;
}

static inline float tile_bf16(const struct tile *t, int row, int column) {
    uint16_t half;
    memcpy(&half, t->row[row] + 2 * column, sizeof half);
    return normal_or_zero(bf16_to_float(half));
}

static inline void emulated_dot(int c, int a, int b) {
    struct tile *to = tile_of(c);
    const struct tile *x = tile_of(a), *y = tile_of(b);
    const struct tile_shapes *shapes = &tile_now.shapes;
    int pairs = shapes->row_bytes[a] / 4, columns = shapes->row_bytes[c] / 4;
    tile_must(c != a && c != b && a != b && shapes->row_bytes[a] % 4 == 0 && shapes->row_bytes[c] % 4 == 0);
    tile_must(shapes->rows[a] == shapes->rows[c] && shapes->rows[b] == pairs
        && shapes->row_bytes[b] == shapes->row_bytes[c]);
    for (int m = 0; m < shapes->rows[c]; m++) {
        for (int n = 0; n < columns; n++) {
            float sums[2] = {0, 0}, sum;
            for (int k = 0; k < pairs; k++) {
                for (int i = 0; i < 2; i++) {
                    float product = __builtin_fmaf(tile_bf16(x, m, 2 * k + i), tile_bf16(y, k, 2 * n + i), sums[i]);
                    sums[i] = normal_or_zero(product);
                }
            }
            memcpy(&sum, to->row[m] + 4 * n, sizeof sum);
            sum = normal_or_zero(normal_or_zero(sum) + normal_or_zero(sums[0] + sums[1]));
            memcpy(to->row[m] + 4 * n, &sum, sizeof sum);
        }
    }
}

#endif
#endif
