/* bf16 x bf16 -> f32 products of tiles, AVX512-BF16: up to six rows by one panel of four vectors (or two, or one), two elements
 * of depth per step.
 *
 *                       b: pairs of depth, 64 lanes
 *                     +----+----+----+----+
 *       a             | v0 | v1 | v2 | v3 |      24 sums + 4 operands + 1 broadcast pair: 29 of 32 registers
 *     r [pair ...]    +----+----+----+----+ */
#if defined(__x86_64__)

#include "avx512.h"
#include "transpose.h"

BF16 INLINE void block(const int rows, const int vectors, const uint16_t *a, int64_t lda, int64_t a_pair_stride,
    const uint16_t *b, int64_t depth, float *c, int64_t ldc, int32_t accumulate) {
    __m512 sums[6][4];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            sums[r][v] = accumulate ? _mm512_loadu_ps(c + r * ldc + v * 16) : _mm512_setzero_ps();
        }
    }
    for (int64_t k = 0; k < depth / 2; k++, a += a_pair_stride, b += 32 * vectors) {
        __m512bh operand[4];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            operand[v] = (__m512bh)_mm512_loadu_si512(b + v * 32);
        }
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            int32_t two;
            memcpy(&two, a + r * lda, sizeof two);
            __m512bh pair = (__m512bh)_mm512_set1_epi32(two);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                sums[r][v] = _mm512_dpbf16_ps(sums[r][v], pair, operand[v]);
            }
        }
    }
    if (depth % 2) { /* load one element, because the element after it does not belong to the row */
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512bh pair = (__m512bh)_mm512_set1_epi32(a[r * lda]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                sums[r][v] = _mm512_dpbf16_ps(sums[r][v], pair, (__m512bh)_mm512_loadu_si512(b + v * 32));
            }
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            _mm512_storeu_ps(c + r * ldc + v * 16, sums[r][v]);
        }
    }
}

BF16 INLINE void panel(const int vectors, const uint16_t *a, int64_t lda, int64_t a_pair_stride, int64_t rows,
    const uint16_t *b, int64_t depth, float *c, int64_t ldc, int32_t accumulate) {
    int64_t r = 0;
    for (; r + 6 <= rows; r += 6) {
        block(6, vectors, a + r * lda, lda, a_pair_stride, b, depth, c + r * ldc, ldc, accumulate);
    }
    if (r + 4 <= rows) {
        block(4, vectors, a + r * lda, lda, a_pair_stride, b, depth, c + r * ldc, ldc, accumulate);
        r += 4;
    }
    if (r + 2 <= rows) {
        block(2, vectors, a + r * lda, lda, a_pair_stride, b, depth, c + r * ldc, ldc, accumulate);
        r += 2;
    }
    if (r < rows) {
        block(1, vectors, a + r * lda, lda, a_pair_stride, b, depth, c + r * ldc, ldc, accumulate);
    }
}

BF16 void heed_bf16_product_avx512(const uint16_t *a, int64_t a_offset, int64_t lda, int64_t a_pair_stride,
    int64_t rows, const uint16_t *b, int64_t b_offset, int64_t lanes, int64_t depth, float *c, int64_t c_offset,
    int64_t ldc, int32_t accumulate) {
    if (lanes == 64) {
        panel(4, a + a_offset, lda, a_pair_stride, rows, b + b_offset, depth, c + c_offset, ldc, accumulate);
    } else if (lanes == 32) {
        panel(2, a + a_offset, lda, a_pair_stride, rows, b + b_offset, depth, c + c_offset, ldc, accumulate);
    } else {
        panel(1, a + a_offset, lda, a_pair_stride, rows, b + b_offset, depth, c + c_offset, ldc, accumulate);
    }
}

/* Rounds rows of weights to bf16 and interleaves each two rows into one row of pairs. Weights below 2^-126 become 0, because the
 * conversion flushes subnormal numbers to 0. */
BF16 void heed_bf16_pairs_avx512(
    const float *tile, int64_t tile_offset, int64_t ld_tile, int64_t count, uint16_t *to, int64_t to_offset,
    int64_t lanes) {
    uint16_t order[32];
    for (int i = 0; i < 32; i++) {
        order[i] = (uint16_t)(i / 2 + i % 2 * 16);
    }
    __m512i interleaved = _mm512_loadu_si512(order);
    tile += tile_offset;
    to += to_offset;
    for (int64_t j = 0; j < count; j += 2, tile += 2 * ld_tile, to += 2 * lanes) {
        for (int64_t v = 0; v < lanes / 16; v++) {
            __m512 first = _mm512_loadu_ps(tile + v * 16);
            __m512 second = j + 1 < count ? _mm512_loadu_ps(tile + ld_tile + v * 16) : _mm512_setzero_ps();
            __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
            _mm512_storeu_si512(to + v * 32, _mm512_permutexvar_epi16(interleaved, both));
        }
    }
}

BASE void heed_bf16_transpose_avx512(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count,
    int64_t depth, int32_t negate, uint16_t *to, int64_t to_offset, int64_t lanes) {
    transpose_rows(rows, rows_offset, ld_rows, count, depth, negate, to, to_offset, lanes);
}

BASE int32_t heed_bf16_interleave_avx512(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count,
    int64_t width, uint16_t *to, int64_t to_offset, int64_t ld_to) {
    __m512i exponent_mask = _mm512_set1_epi32(0x7f807f80);
    __mmask32 nonfinite = 0;
    rows += rows_offset;
    to += to_offset;
    for (int64_t j = 0; j < count; j += 2, rows += 2 * ld_rows, to += ld_to) {
        for (int64_t d = 0; d < width; d += 16) {
            __mmask16 mask = width - d < 16 ? lanes16(width - d) : 0xffff;
            __m512i first = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, rows + d));
            __m512i both = first;
            if (j + 1 < count) {
                __m512i second = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, rows + ld_rows + d));
                both = _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
            }
            nonfinite |= _mm512_cmpeq_epi16_mask(_mm512_and_si512(both, exponent_mask), exponent_mask);
            _mm512_mask_storeu_epi32(to + 2 * d, mask, both);
        }
    }
    return nonfinite == 0;
}

#endif
