/* Scores of a few queries against many keys. Keys are read without a copy, four at a time: one from each run if there are four
 * runs, so that memory delivers four streams at once. */
#if defined(__x86_64__)

#include "avx512.h"
#include "four_keys.h"

BF16 INLINE void bf16_four(const int rows, const uint16_t *q, int64_t ldq, const uint16_t *k0, const uint16_t *k1,
    const uint16_t *k2, const uint16_t *k3, int64_t depth, float *to, int64_t lds, int64_t stride, int64_t n) {
    __m512 sums[2][4];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < 4; i++) {
            sums[r][i] = _mm512_setzero_ps();
        }
    }
    int64_t d = 0;
    for (; d + 32 <= depth; d += 32) {
        __m512bh x0 = (__m512bh)_mm512_loadu_si512(k0 + d), x1 = (__m512bh)_mm512_loadu_si512(k1 + d);
        __m512bh x2 = (__m512bh)_mm512_loadu_si512(k2 + d), x3 = (__m512bh)_mm512_loadu_si512(k3 + d);
#pragma GCC unroll 2
        for (int r = 0; r < rows; r++) {
            __m512bh y = (__m512bh)_mm512_loadu_si512(q + r * ldq + d);
            sums[r][0] = _mm512_dpbf16_ps(sums[r][0], x0, y);
            sums[r][1] = _mm512_dpbf16_ps(sums[r][1], x1, y);
            sums[r][2] = _mm512_dpbf16_ps(sums[r][2], x2, y);
            sums[r][3] = _mm512_dpbf16_ps(sums[r][3], x3, y);
        }
    }
    if (d < depth) {
        __mmask32 mask = lanes32(depth - d);
        __m512bh x0 = (__m512bh)_mm512_maskz_loadu_epi16(mask, k0 + d);
        __m512bh x1 = (__m512bh)_mm512_maskz_loadu_epi16(mask, k1 + d);
        __m512bh x2 = (__m512bh)_mm512_maskz_loadu_epi16(mask, k2 + d);
        __m512bh x3 = (__m512bh)_mm512_maskz_loadu_epi16(mask, k3 + d);
#pragma GCC unroll 2
        for (int r = 0; r < rows; r++) {
            __m512bh y = (__m512bh)_mm512_maskz_loadu_epi16(mask, q + r * ldq + d);
            sums[r][0] = _mm512_dpbf16_ps(sums[r][0], x0, y);
            sums[r][1] = _mm512_dpbf16_ps(sums[r][1], x1, y);
            sums[r][2] = _mm512_dpbf16_ps(sums[r][2], x2, y);
            sums[r][3] = _mm512_dpbf16_ps(sums[r][3], x3, y);
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
        float four[4];
        _mm_storeu_ps(four, sum_four(sums[r][0], sums[r][1], sums[r][2], sums[r][3]));
        put(four, n, to + r * lds, stride);
    }
}

BF16 void heed_bf16_dots_avx512(const uint16_t *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k,
    int64_t k_offset, int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s,
    int64_t s_offset, int64_t lds) {
    int64_t r = 0;
    for (; r + 2 <= rows; r += 2) {
        const uint16_t *query = q + q_offset + r * ldq;
        float *to = s + s_offset + r * lds;
#define TWO(k0, k1, k2, k3, first, stride, n)                                                                          \
    bf16_four(2, query, ldq, k0, k1, k2, k3, depth, to + (first), lds, stride, n)
        FOUR_KEYS(uint16_t, TWO)
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

BASE INLINE void f16_four(const float *q, const uint16_t *k0, const uint16_t *k1, const uint16_t *k2,
    const uint16_t *k3, int64_t depth, float *to, int64_t stride, int64_t n) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t d = 0; d < depth; d += 16) {
        __mmask16 mask = depth - d < 16 ? lanes16(depth - d) : 0xffff;
        __m512 y = _mm512_maskz_loadu_ps(mask, q + d);
        s0 = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, k0 + d)), y, s0);
        s1 = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, k1 + d)), y, s1);
        s2 = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, k2 + d)), y, s2);
        s3 = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, k3 + d)), y, s3);
    }
    float four[4];
    _mm_storeu_ps(four, sum_four(s0, s1, s2, s3));
    put(four, n, to, stride);
}

BASE void heed_f16_dots_avx512(const float *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k,
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

/* int8 keys: one operand of VNNI is unsigned, so keys are passed as k + 128. Then the excess, 128 times the sum of the limb's
 * elements, is subtracted. */
VNNI INLINE __m128i limb_sums(__m512i s[4], int32_t excess) {
    return _mm_sub_epi32(sum_four_ints(s[0], s[1], s[2], s[3]), _mm_set1_epi32(excess));
}

VNNI INLINE void i8_four(const int8_t *q, const int32_t excess[HEED_LIMBS], double unit, const int8_t *keys[4],
    int64_t depth, const float factors[4], float *to, int64_t stride, int64_t n) {
    __m512i sums[HEED_LIMBS][4];
    __m512i offset = _mm512_set1_epi8((char)0x80);
#pragma GCC unroll 3
    for (int limb = 0; limb < HEED_LIMBS; limb++) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            sums[limb][i] = _mm512_setzero_si512();
        }
    }
    for (int64_t d = 0; d < depth; d += 64) {
        __mmask64 mask = lanes64(depth - d);
        __m512i limbs[HEED_LIMBS];
#pragma GCC unroll 3
        for (int limb = 0; limb < HEED_LIMBS; limb++) {
            limbs[limb] = _mm512_maskz_loadu_epi8(mask, q + limb * depth + d);
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            __m512i key = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, keys[i] + d), offset);
#pragma GCC unroll 3
            for (int limb = 0; limb < HEED_LIMBS; limb++) {
                sums[limb][i] = _mm512_dpbusd_epi32(sums[limb][i], key, limbs[limb]);
            }
        }
    }
    __m256d s0 = _mm256_cvtepi32_pd(limb_sums(sums[0], excess[0]));
    __m256d s1 = _mm256_cvtepi32_pd(limb_sums(sums[1], excess[1]));
    __m256d s2 = _mm256_cvtepi32_pd(limb_sums(sums[2], excess[2]));
    __m256d step = _mm256_set1_pd(256);
    __m256d whole = _mm256_add_pd(_mm256_mul_pd(_mm256_add_pd(_mm256_mul_pd(s2, step), s1), step), s0); /* exact */
    __m128 scores = _mm_mul_ps(_mm256_cvtpd_ps(_mm256_mul_pd(whole, _mm256_set1_pd(unit))), _mm_loadu_ps(factors));
    float four[4];
    _mm_storeu_ps(four, scores);
    put(four, n, to, stride);
}

VNNI void heed_i8_dots_avx512(const int8_t *q, int64_t q_offset, const float *units, int64_t rows, const int8_t *k,
    int64_t k_offset, int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, const float *scales,
    int64_t scales_offset, int64_t scales_stride, int64_t scales_run_stride, float *s, int64_t s_offset, int64_t lds) {
    scales += scales_offset;
    for (int64_t r = 0; r < rows; r++) {
        const int8_t *query = q + q_offset + r * HEED_LIMBS * depth;
        float *to = s + s_offset + r * lds;
        int32_t excess[HEED_LIMBS];
        for (int limb = 0; limb < HEED_LIMBS; limb++) {
            int32_t sum = 0;
            for (int64_t d = 0; d < depth; d++) {
                sum += query[limb * depth + d];
            }
            excess[limb] = 128 * sum;
        }
        for (int64_t run = 0; run < (runs == 4 ? 1 : runs); run++) {
            for (int64_t j = 0; j < count; j += runs == 4 ? 1 : 4) {
                const int8_t *keys[4];
                float factors[4];
                int64_t n = runs == 4 || count - j >= 4 ? 4 : count - j;
                for (int64_t i = 0; i < 4; i++) {
                    int64_t index = i < n ? i : 0;
                    int64_t key_run = runs == 4 ? index : run;
                    int64_t key = runs == 4 ? j : j + index;
                    keys[i] = k + k_offset + key_run * run_stride + key * ldk;
                    factors[i] = scales[key_run * scales_run_stride + key * scales_stride];
                }
                i8_four(query, excess, units[r], keys, depth, factors, to + run * count + j, runs == 4 ? count : 1, n);
            }
        }
    }
}

#endif
