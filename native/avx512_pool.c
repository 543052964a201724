/* Weighted sums of values for a few queries: c[r][d] += w[r][j] v[j][d], summed over the rows j of all runs: first row 0 of every
 * run, then row 1 of every run, and so on. The sums are kept in registers. Their terms are added in a fixed order with one
 * rounding each, so the results have the same bits as the portable version's results. */
#if defined(__x86_64__)

#include "avx512.h"

BASE INLINE __m512 bf16_values(const void *from, int64_t offset, __mmask16 mask) {
    __m256i half = _mm256_maskz_loadu_epi16(mask, (const uint16_t *)from + offset);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

BASE INLINE __m512 f16_values(const void *from, int64_t offset, __mmask16 mask) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, (const uint16_t *)from + offset));
}

BASE INLINE __m512 i8_values(const void *from, int64_t offset, __mmask16 mask) {
    __m128i bytes = _mm_maskz_loadu_epi8(mask, (const int8_t *)from + offset);
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

typedef __m512 (*values)(const void *, int64_t, __mmask16);

/* rows and vectors are constants after inlining; last is the mask of the last vector. If skip is set, values whose weight is 0
 * are not read. */
BASE INLINE void columns(const int rows, const int vectors, __mmask16 last, const values load, const float *w,
    int64_t ldw, const void *v, int64_t v_offset, int64_t ldv, int64_t run_stride, int64_t runs, int64_t count,
    const float *scales, int64_t scales_stride, int64_t scales_run_stride, float *c, int64_t ldc, int32_t skip) {
    __m512 sums[2][8];
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < vectors; i++) {
            sums[r][i] = _mm512_maskz_loadu_ps(i == vectors - 1 ? last : 0xffff, c + r * ldc + i * 16);
        }
    }
    for (int64_t j = 0; j < count; j++) {
        for (int64_t run = 0; run < runs; run++) {
            const float *weight = w + run * count + j;
            if (skip && weight[0] == 0) { /* skip implies rows == 1 */
                continue;
            }
            __m512 factor[2];
#pragma GCC unroll 2
            for (int r = 0; r < rows; r++) {
                float scale = scales ? scales[run * scales_run_stride + j * scales_stride] : 1;
                factor[r] = _mm512_set1_ps(scales ? weight[r * ldw] * scale : weight[r * ldw]);
            }
            int64_t from = v_offset + run * run_stride + j * ldv;
#pragma GCC unroll 8
            for (int i = 0; i < vectors; i++) {
                __m512 value = load(v, from + i * 16, i == vectors - 1 ? last : 0xffff);
#pragma GCC unroll 2
                for (int r = 0; r < rows; r++) {
                    sums[r][i] = _mm512_fmadd_ps(factor[r], value, sums[r][i]);
                }
            }
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < vectors; i++) {
            _mm512_mask_storeu_ps(c + r * ldc + i * 16, i == vectors - 1 ? last : 0xffff, sums[r][i]);
        }
    }
}

BASE INLINE void row_pool(const int rows, const values load, const float *w, int64_t ldw, const void *v,
    int64_t v_offset, int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, const float *scales,
    int64_t scales_stride, int64_t scales_run_stride, float *c, int64_t ldc, int32_t skip) {
    int64_t d = 0;
#define COLUMNS(n, last)                                                                                               \
    columns(rows, n, last, load, w, ldw, v, v_offset + d, ldv, run_stride, runs, count, scales, scales_stride,         \
        scales_run_stride, c + d, ldc, skip)
    for (; d + 128 <= width; d += 128) {
        COLUMNS(8, 0xffff);
    }
    if (d + 64 <= width) {
        COLUMNS(4, 0xffff);
        d += 64;
    }
    for (; d < width; d += 16) {
        __mmask16 last = width - d < 16 ? lanes16(width - d) : 0xffff;
        COLUMNS(1, last);
    }
#undef COLUMNS
}

#define POOL(name, element, load, ...)                                                                                 \
    BASE void heed_##name##_avx512(const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const element *v,      \
        int64_t v_offset, int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width __VA_ARGS__,     \
        float *c, int64_t c_offset, int64_t ldc, int32_t skip) {                                                       \
        int64_t r = 0;                                                                                                 \
        w += w_offset;                                                                                                 \
        c += c_offset;                                                                                                 \
        for (; !skip && r + 2 <= rows; r += 2) {                                                                       \
            row_pool(2, load, w + r * ldw, ldw, v, v_offset, ldv, run_stride, runs, count, width, SCALES, c + r * ldc, \
                ldc, 0);                                                                                               \
        }                                                                                                              \
        for (; r < rows; r++) {                                                                                        \
            row_pool(1, load, w + r * ldw, ldw, v, v_offset, ldv, run_stride, runs, count, width, SCALES, c + r * ldc, \
                ldc, skip);                                                                                            \
        }                                                                                                              \
    }

#define SCALES 0, 0, 0
POOL(bf16_pool, uint16_t, bf16_values)
POOL(f16_pool, uint16_t, f16_values)
#undef SCALES
#define SCALES scales + scales_offset, scales_stride, scales_run_stride
POOL(i8_pool, int8_t, i8_values, , const float *scales, int64_t scales_offset, int64_t scales_stride,
    int64_t scales_run_stride)

#endif
