/* Scores of a few queries against many keys on Arm, four keys at a time: bf16 by BFDOT, f16 by conversion to f32, int8 by
 * SMMLA. */
#if defined(__aarch64__)

#include "four_keys.h"
#include "neon.h"

INLINE uint16x8_t end_of(const uint16_t *from, int64_t n) {
    uint16_t x[8] = {0};
    memcpy(x, from, (size_t)n * sizeof *x);
    return vld1q_u16(x);
}

INLINE void sums_of_four(const float32x4_t s[4], float four[4]) {
    vst1q_f32(four, vpaddq_f32(vpaddq_f32(s[0], s[1]), vpaddq_f32(s[2], s[3])));
}

INLINE void bf16_four(const int rows, const uint16_t *q, int64_t ldq, const uint16_t *k0, const uint16_t *k1,
    const uint16_t *k2, const uint16_t *k3, int64_t depth, float *to, int64_t lds, int64_t stride, int64_t n) {
    float32x4_t sums[2][4];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < 4; i++) {
            sums[r][i] = vdupq_n_f32(0);
        }
    }
    for (int64_t d = 0; d < depth; d += 8) {
        int64_t left = depth - d;
        uint16x8_t x[4];
        if (left >= 8) {
            x[0] = vld1q_u16(k0 + d), x[1] = vld1q_u16(k1 + d), x[2] = vld1q_u16(k2 + d), x[3] = vld1q_u16(k3 + d);
        } else {
            x[0] = end_of(k0 + d, left), x[1] = end_of(k1 + d, left);
            x[2] = end_of(k2 + d, left), x[3] = end_of(k3 + d, left);
        }
#pragma GCC unroll 2
        for (int r = 0; r < rows; r++) {
            const uint16_t *query = q + r * ldq + d;
            uint16x8_t y = left >= 8 ? vld1q_u16(query) : end_of(query, left);
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                sums[r][i] = bfdot(sums[r][i], x[i], y);
            }
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
        float four[4];
        sums_of_four(sums[r], four);
        put(four, n, to + r * lds, stride);
    }
}

BF16 void heed_bf16_dots_armbf16(const uint16_t *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k,
    int64_t k_offset, int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s,
    int64_t s_offset, int64_t lds) {
    int64_t r = 0;
    for (; r + 2 <= rows; r += 2) {
        const uint16_t *query = q + q_offset + r * ldq;
        float *to = s + s_offset + r * lds;
#define TWO(k0, k1, k2, k3, first, stride, n)                                                                          \
    bf16_four(2, query, ldq, k0, k1, k2, k3, depth, to + (first), lds, stride, n)
        FOUR_KEYS(uint16_t, TWO)
#undef TWO
    }
    if (r < rows) {
        const uint16_t *query = q + q_offset + r * ldq;
        float *to = s + s_offset + r * lds;
#define ONE(k0, k1, k2, k3, first, stride, n)                                                                          \
    bf16_four(1, query, ldq, k0, k1, k2, k3, depth, to + (first), lds, stride, n)
        FOUR_KEYS(uint16_t, ONE)
#undef ONE
    }
}

INLINE void f16_four(const float *q, const uint16_t *k0, const uint16_t *k1, const uint16_t *k2, const uint16_t *k3,
    int64_t depth, float *to, int64_t stride, int64_t n) {
    const uint16_t *keys[4] = {k0, k1, k2, k3};
    float32x4_t sums[4];
    float four[4];
    for (int i = 0; i < 4; i++) {
        sums[i] = vdupq_n_f32(0);
    }
    int64_t d = 0;
    for (; d + 4 <= depth; d += 4) {
        float32x4_t y = vld1q_f32(q + d);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            sums[i] = vfmaq_f32(sums[i], f16_to_floats(vld1_u16(keys[i] + d)), y);
        }
    }
    sums_of_four(sums, four);
    for (; d < depth; d++) {
        for (int i = 0; i < 4; i++) {
            four[i] = __builtin_fmaf(f16_to_float(keys[i][d]), q[d], four[i]);
        }
    }
    put(four, n, to, stride);
}

void heed_f16_dots_neon(const float *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k,
    int64_t k_offset, int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s,
    int64_t s_offset, int64_t lds) {
    for (int64_t r = 0; r < rows; r++) {
        const float *query = q + q_offset + r * ldq;
        float *to = s + s_offset + r * lds;
#define ONE(k0, k1, k2, k3, first, stride, n) f16_four(query, k0, k1, k2, k3, depth, to + (first), stride, n)
        FOUR_KEYS(uint16_t, ONE)
#undef ONE
    }
}

INLINE int8x8_t bytes_of(const int8_t *from, int64_t left) {
    if (left >= 8) {
        return vld1_s8(from);
    }
    int8_t x[8] = {0};
    memcpy(x, from, (size_t)left);
    return vld1_s8(x);
}

/* Multiplies two limbs of a query by two keys at a time; zeros take the place of a fourth limb. */
INLINE void i8_four(const int8_t *q, float unit, const int8_t *k0, const int8_t *k1, const int8_t *k2, const int8_t *k3,
    int64_t depth, const float factors[4], float *to, int64_t stride, int64_t n) {
    int32x4_t sums[2][2] = {{vdupq_n_s32(0), vdupq_n_s32(0)}, {vdupq_n_s32(0), vdupq_n_s32(0)}};
    for (int64_t d = 0; d < depth; d += 8) {
        int64_t left = depth - d;
        int8x16_t low = vcombine_s8(bytes_of(q + d, left), bytes_of(q + depth + d, left));
        int8x16_t high = vcombine_s8(bytes_of(q + 2 * depth + d, left), vdup_n_s8(0));
        int8x16_t x01 = vcombine_s8(bytes_of(k0 + d, left), bytes_of(k1 + d, left));
        int8x16_t x23 = vcombine_s8(bytes_of(k2 + d, left), bytes_of(k3 + d, left));
        sums[0][0] = smmla(sums[0][0], low, x01);
        sums[0][1] = smmla(sums[0][1], low, x23);
        sums[1][0] = smmla(sums[1][0], high, x01);
        sums[1][1] = smmla(sums[1][1], high, x23);
    }
    int32_t products[2][2][4];
    float four[4];
    for (int i = 0; i < 4; i++) {
        vst1q_s32(products[i / 2][i % 2], sums[i / 2][i % 2]);
    }
    for (int i = 0; i < 4; i++) {
        int64_t whole = ((int64_t)products[1][i / 2][i % 2] * 256 + products[0][i / 2][2 + i % 2]) * 256
            + products[0][i / 2][i % 2];
        four[i] = (float)((double)whole * unit) * factors[i];
    }
    put(four, n, to, stride);
}

I8MM void heed_i8_dots_armi8mm(const int8_t *q, int64_t q_offset, const float *units, int64_t rows, const int8_t *k,
    int64_t k_offset, int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, const float *scales,
    int64_t scales_offset, int64_t scales_stride, int64_t scales_run_stride, float *s, int64_t s_offset, int64_t lds) {
    for (int64_t r = 0; r < rows; r++) {
        const int8_t *query = q + q_offset + r * HEED_LIMBS * depth;
        float *to = s + s_offset + r * lds;
#define ONE(k0, k1, k2, k3, first, stride, n)                                                                          \
    do {                                                                                                               \
        float factors[4] = {0};                                                                                        \
        for (int64_t i = 0; i < (n); i++) {                                                                            \
            int64_t score = (first) + i * (stride);                                                                    \
            factors[i] = scales[scales_offset + score / count * scales_run_stride + score % count * scales_stride];    \
        }                                                                                                              \
        i8_four(query, units[r], k0, k1, k2, k3, depth, factors, to + (first), stride, n);                             \
    } while (0)
        FOUR_KEYS(int8_t, ONE)
#undef ONE
    }
}

#endif
