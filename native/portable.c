/* The portable version of every kernel in plain C, for processors without the kernel's instructions, and as the reference in
 * tests. */
#include "heed.h"
#include "number.h"

#define PORTABLE(result, name) result heed_##name##_portable

PORTABLE(void, bf16_product)
(const uint16_t *a, int64_t a_offset, int64_t lda, int64_t a_pair_stride, int64_t rows, const uint16_t *b,
    int64_t b_offset, int64_t lanes, int64_t depth, float *c, int64_t c_offset, int64_t ldc, int32_t accumulate) {
    for (int64_t r = 0; r < rows; r++) {
        float *to = c + c_offset + r * ldc;
        for (int64_t i = 0; i < lanes; i++) {
            float sum = accumulate ? to[i] : 0;
            for (int64_t d = 0; d < depth; d++) {
                uint16_t x = a[a_offset + r * lda + d / 2 * a_pair_stride + d % 2];
                uint16_t y = b[b_offset + (d / 2 * lanes + i) * 2 + d % 2];
                sum += bf16_to_float(x) * bf16_to_float(y);
            }
            to[i] = sum;
        }
    }
}

PORTABLE(void, bf16_transpose)
(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t depth, int32_t negate, uint16_t *to,
    int64_t to_offset, int64_t lanes) {
    uint16_t sign = negate ? 0x8000 : 0;
    for (int64_t d = 0; d < (depth + 1) / 2 * 2; d++) {
        for (int64_t i = 0; i < lanes; i++) {
            int inside = i < count && d < depth;
            to[to_offset + (d / 2 * lanes + i) * 2 + d % 2] = inside
                ? (uint16_t)(rows[rows_offset + i * ld_rows + d] ^ sign) : 0;
        }
    }
}

PORTABLE(int32_t, bf16_interleave)
(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t width, uint16_t *to,
    int64_t to_offset, int64_t ld_to) {
    int32_t finite = 1;
    for (int64_t j = 0; j < (count + 1) / 2 * 2; j++) {
        for (int64_t d = 0; d < width; d++) {
            uint16_t value = j < count ? rows[rows_offset + j * ld_rows + d] : 0;
            finite &= (value & 0x7f80) != 0x7f80;
            to[to_offset + j / 2 * ld_to + 2 * d + j % 2] = value;
        }
    }
    return finite;
}

PORTABLE(void, bf16_pairs)
(const float *tile, int64_t tile_offset, int64_t ld_tile, int64_t count, uint16_t *to, int64_t to_offset,
    int64_t lanes) {
    for (int64_t j = 0; j < (count + 1) / 2 * 2; j++) {
        for (int64_t i = 0; i < lanes; i++) {
            to[to_offset + (j / 2 * lanes + i) * 2 + j % 2] = j < count
                ? float_to_bf16(tile[tile_offset + j * ld_tile + i]) : 0;
        }
    }
}

PORTABLE(void, bf16_widen)(const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset) {
    for (int64_t i = 0; i < count; i++) {
        to[to_offset + i] = bf16_to_float(from[from_offset + i]);
    }
}

PORTABLE(void, f16_widen)(const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset) {
    for (int64_t i = 0; i < count; i++) {
        to[to_offset + i] = f16_to_float(from[from_offset + i]);
    }
}

PORTABLE(void, i8_widen)(const int8_t *from, int64_t from_offset, int64_t count, float scale, float *to,
    int64_t to_offset) {
    for (int64_t i = 0; i < count; i++) {
        to[to_offset + i] = (float)from[from_offset + i] * scale;
    }
}

PORTABLE(void, bf16_narrow)
(const float *from, int64_t from_offset, int64_t ld_from, int64_t rows, int64_t count, uint16_t *to, int64_t to_offset,
    int64_t ld_to) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < count; i++) {
            to[to_offset + r * ld_to + i] = float_to_bf16(from[from_offset + r * ld_from + i]);
        }
    }
}

PORTABLE(void, f16_narrow)(const float *from, int64_t from_offset, int64_t count, uint16_t *to, int64_t to_offset) {
    for (int64_t i = 0; i < count; i++) {
        to[to_offset + i] = float_to_f16(from[from_offset + i]);
    }
}

PORTABLE(void, bf16_dots)
(const uint16_t *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k, int64_t k_offset, int64_t ldk,
    int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_offset, int64_t lds) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t n = 0; n < runs * count; n++) {
            const uint16_t *key = k + k_offset + n / count * run_stride + n % count * ldk;
            float sum = 0;
            for (int64_t d = 0; d < depth; d++) {
                sum += bf16_to_float(q[q_offset + r * ldq + d]) * bf16_to_float(key[d]);
            }
            s[s_offset + r * lds + n] = sum;
        }
    }
}

PORTABLE(void, f16_dots)
(const float *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k, int64_t k_offset, int64_t ldk,
    int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_offset, int64_t lds) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t n = 0; n < runs * count; n++) {
            const uint16_t *key = k + k_offset + n / count * run_stride + n % count * ldk;
            float sum = 0;
            for (int64_t d = 0; d < depth; d++) {
                sum += q[q_offset + r * ldq + d] * f16_to_float(key[d]);
            }
            s[s_offset + r * lds + n] = sum;
        }
    }
}

PORTABLE(void, i8_dots)
(const int8_t *q, int64_t q_offset, const float *units, int64_t rows, const int8_t *k, int64_t k_offset, int64_t ldk,
    int64_t run_stride, int64_t runs, int64_t count, int64_t depth, const float *scales, int64_t scales_offset,
    int64_t scales_stride, int64_t scales_run_stride, float *s, int64_t s_offset, int64_t lds) {
    for (int64_t r = 0; r < rows; r++) {
        const int8_t *limbs = q + q_offset + r * HEED_LIMBS * depth;
        for (int64_t n = 0; n < runs * count; n++) {
            const int8_t *key = k + k_offset + n / count * run_stride + n % count * ldk;
            int32_t sums[HEED_LIMBS] = {0};
            for (int limb = 0; limb < HEED_LIMBS; limb++) {
                for (int64_t d = 0; d < depth; d++) {
                    sums[limb] += limbs[limb * depth + d] * key[d];
                }
            }
            int64_t whole = ((int64_t)sums[2] * 256 + sums[1]) * 256 + sums[0];
            float scale = scales[scales_offset + n / count * scales_run_stride + n % count * scales_stride];
            s[s_offset + r * lds + n] = (float)((double)whole * units[r]) * scale;
        }
    }
}

/* Adds one row of values at a time: row j of every run, then row j + 1 of every run. */
#define POOL(name, element, widen, ...)                                                                                \
    PORTABLE(void, name)                                                                                               \
    (const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const element *v, int64_t v_offset, int64_t ldv,     \
        int64_t run_stride, int64_t runs, int64_t count, int64_t width __VA_ARGS__, float *c, int64_t c_offset,        \
        int64_t ldc, int32_t skip) {                                                                                   \
        for (int64_t r = 0; r < rows; r++) {                                                                           \
            float *to = c + c_offset + r * ldc;                                                                        \
            for (int64_t j = 0; j < count; j++) {                                                                      \
                for (int64_t run = 0; run < runs; run++) {                                                             \
                    float weight = w[w_offset + r * ldw + run * count + j];                                            \
                    if (skip && weight == 0) {                                                                         \
                        continue;                                                                                      \
                    }                                                                                                  \
                    const element *value = v + v_offset + run * run_stride + j * ldv;                                  \
                    SCALED                                                                                             \
                    for (int64_t d = 0; d < width; d++) {                                                              \
                        to[d] = __builtin_fmaf(weight, widen(value[d]), to[d]);                                        \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

#define SCALED
POOL(bf16_pool, uint16_t, bf16_to_float)
POOL(f16_pool, uint16_t, f16_to_float)
#undef SCALED
#define SCALED weight *= scales[scales_offset + run * scales_run_stride + j * scales_stride];
POOL(i8_pool, int8_t, (float), , const float *scales, int64_t scales_offset, int64_t scales_stride,
    int64_t scales_run_stride)
