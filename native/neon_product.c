/* bf16 x bf16 -> f32 products of tiles on Arm: BFMMLA multiplies two rows by two lanes over four elements of depth. A block has
 * at most eight rows and eight lanes: 16 sums, 4 operands of rows and 4 operands of lanes fill 24 of 32 registers. */
#if defined(__aarch64__)

#include "neon.h"
#include "transpose.h"

/* The direction in which the pairs of a are contiguous in memory: along depth, along rows, or neither. */
enum order { DEPTH, ROWS, NEITHER };

/* Loads two pairs of row 0 and two pairs of row 1. If there is only one row, lda must be 0, and the row is loaded twice. */
INLINE uint16x8_t two_rows(const uint16_t *a, int64_t lda, int64_t a_pair_stride, enum order order) {
    if (order == DEPTH) {
        return vcombine_u16(vld1_u16(a), vld1_u16(a + lda));
    }
    uint16_t x[8];
    memcpy(x, a, 4);
    memcpy(x + 2, a + a_pair_stride, 4);
    memcpy(x + 4, a + lda, 4);
    memcpy(x + 6, a + lda + a_pair_stride, 4);
    return vld1q_u16(x);
}

/* Like two_rows, for the last one to three elements of depth; the missing elements are 0. */
INLINE uint16x8_t two_rows_end(const uint16_t *a, int64_t lda, int64_t a_pair_stride, int64_t left) {
    uint16_t x[8] = {0};
    for (int64_t d = 0; d < left; d++) {
        x[d] = a[d / 2 * a_pair_stride + d % 2];
        x[4 + d] = a[lda + d / 2 * a_pair_stride + d % 2];
    }
    return vld1q_u16(x);
}

INLINE uint16x8_t zip_low(uint16x8_t x, uint16x8_t y) {
    return vreinterpretq_u16_u32(vzip1q_u32(vreinterpretq_u32_u16(x), vreinterpretq_u32_u16(y)));
}

INLINE uint16x8_t zip_high(uint16x8_t x, uint16x8_t y) {
    return vreinterpretq_u16_u32(vzip2q_u32(vreinterpretq_u32_u16(x), vreinterpretq_u32_u16(y)));
}

/* Makes four operands, each of two lanes by four elements of depth, from two rows of pairs of the panel. */
INLINE void eight_lanes(const uint16_t *b, const uint16_t *next_pair, uint16x8_t to[4]) {
    for (int v = 0; v < 2; v++) {
        uint16x8_t first = vld1q_u16(b + v * 8);
        uint16x8_t next = next_pair ? vld1q_u16(next_pair + v * 8) : vdupq_n_u16(0);
        to[2 * v] = zip_low(first, next);
        to[2 * v + 1] = zip_high(first, next);
    }
}

INLINE void block(const int rows, const enum order order, const uint16_t *a, int64_t lda, int64_t a_pair_stride,
    const uint16_t *b, int64_t lanes, int64_t depth, float *c, int64_t ldc, int32_t accumulate) {
    const int couples = (rows + 1) / 2;
    int64_t next_row = rows == 1 ? 0 : lda;
    float32x4_t sums[4][4];
#pragma GCC unroll 4
    for (int p = 0; p < couples; p++) {
        const float *upper = c + 2 * p * ldc;
        const float *lower = rows == 1 ? upper : upper + ldc;
#pragma GCC unroll 4
        for (int l = 0; l < 4; l++) {
            sums[p][l] = accumulate ? vcombine_f32(vld1_f32(upper + 2 * l), vld1_f32(lower + 2 * l)) : vdupq_n_f32(0);
        }
    }
    int64_t d = 0;
    uint16x8_t y[4], x[4];
    for (; d + 4 <= depth; d += 4, a += 2 * a_pair_stride, b += 4 * lanes) {
        eight_lanes(b, b + 2 * lanes, y);
        if (order == ROWS && rows >= 4) {
#pragma GCC unroll 2
            for (int p = 0; p < couples; p += 2) {
                uint16x8_t first = vld1q_u16(a + 4 * p), next = vld1q_u16(a + a_pair_stride + 4 * p);
                x[p] = zip_low(first, next);
                x[p + 1] = zip_high(first, next);
            }
        } else {
#pragma GCC unroll 4
            for (int p = 0; p < couples; p++) {
                x[p] = two_rows(a + 2 * p * lda, next_row, a_pair_stride, order);
            }
        }
#pragma GCC unroll 4
        for (int p = 0; p < couples; p++) {
#pragma GCC unroll 4
            for (int l = 0; l < 4; l++) {
                sums[p][l] = bfmmla(sums[p][l], x[p], y[l]);
            }
        }
    }
    if (d < depth) {
        eight_lanes(b, depth - d > 2 ? b + 2 * lanes : 0, y);
#pragma GCC unroll 4
        for (int p = 0; p < couples; p++) {
            uint16x8_t end = two_rows_end(a + 2 * p * lda, next_row, a_pair_stride, depth - d);
#pragma GCC unroll 4
            for (int l = 0; l < 4; l++) {
                sums[p][l] = bfmmla(sums[p][l], end, y[l]);
            }
        }
    }
#pragma GCC unroll 4
    for (int p = 0; p < couples; p++) {
        float *upper = c + 2 * p * ldc;
#pragma GCC unroll 4
        for (int l = 0; l < 4; l++) {
            vst1_f32(upper + 2 * l, vget_low_f32(sums[p][l]));
            if (rows > 1) {
                vst1_f32(upper + ldc + 2 * l, vget_high_f32(sums[p][l]));
            }
        }
    }
}

INLINE void panel(const int rows, const enum order order, const uint16_t *a, int64_t lda, int64_t a_pair_stride,
    const uint16_t *b, int64_t lanes, int64_t depth, float *c, int64_t ldc, int32_t accumulate) {
    for (int64_t lane = 0; lane < lanes; lane += 8) {
        block(rows, order, a, lda, a_pair_stride, b + 2 * lane, lanes, depth, c + lane, ldc, accumulate);
    }
}

INLINE void product(const enum order order, const uint16_t *a, int64_t lda, int64_t a_pair_stride, int64_t rows,
    const uint16_t *b, int64_t lanes, int64_t depth, float *c, int64_t ldc, int32_t accumulate) {
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) {
        panel(8, order, a + r * lda, lda, a_pair_stride, b, lanes, depth, c + r * ldc, ldc, accumulate);
    }
    if (r + 4 <= rows) {
        panel(4, order, a + r * lda, lda, a_pair_stride, b, lanes, depth, c + r * ldc, ldc, accumulate);
        r += 4;
    }
    if (r + 2 <= rows) {
        panel(2, order, a + r * lda, lda, a_pair_stride, b, lanes, depth, c + r * ldc, ldc, accumulate);
        r += 2;
    }
    if (r < rows) {
        panel(1, order, a + r * lda, lda, a_pair_stride, b, lanes, depth, c + r * ldc, ldc, accumulate);
    }
}

BF16 void heed_bf16_product_armbf16(const uint16_t *a, int64_t a_offset, int64_t lda, int64_t a_pair_stride,
    int64_t rows, const uint16_t *b, int64_t b_offset, int64_t lanes, int64_t depth, float *c, int64_t c_offset,
    int64_t ldc, int32_t accumulate) {
    if (a_pair_stride == 2) {
        product(DEPTH, a + a_offset, lda, a_pair_stride, rows, b + b_offset, lanes, depth, c + c_offset, ldc,
            accumulate);
    } else if (lda == 2) {
        product(ROWS, a + a_offset, lda, a_pair_stride, rows, b + b_offset, lanes, depth, c + c_offset, ldc,
            accumulate);
    } else {
        product(NEITHER, a + a_offset, lda, a_pair_stride, rows, b + b_offset, lanes, depth, c + c_offset, ldc,
            accumulate);
    }
}

void heed_bf16_pairs_neon(const float *tile, int64_t tile_offset, int64_t ld_tile, int64_t count, uint16_t *to,
    int64_t to_offset, int64_t lanes) {
    tile += tile_offset;
    to += to_offset;
    for (int64_t j = 0; j < count; j += 2, tile += 2 * ld_tile, to += 2 * lanes) {
        for (int64_t i = 0; i < lanes; i += 4) {
            uint16x4_t second = j + 1 < count ? floats_to_bf16(vld1q_f32(tile + ld_tile + i)) : vdup_n_u16(0);
            uint16x4x2_t both = vzip_u16(floats_to_bf16(vld1q_f32(tile + i)), second);
            vst1q_u16(to + 2 * i, vcombine_u16(both.val[0], both.val[1]));
        }
    }
}

void heed_bf16_transpose_neon(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t depth,
    int32_t negate, uint16_t *to, int64_t to_offset, int64_t lanes) {
    transpose_rows(rows, rows_offset, ld_rows, count, depth, negate, to, to_offset, lanes);
}

int32_t heed_bf16_interleave_neon(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count,
    int64_t width, uint16_t *to, int64_t to_offset, int64_t ld_to) {
    uint16x8_t exponent_mask = vdupq_n_u16(0x7f80), nonfinite = vdupq_n_u16(0);
    int32_t finite = 1;
    rows += rows_offset;
    to += to_offset;
    for (int64_t j = 0; j < count; j += 2, rows += 2 * ld_rows, to += ld_to) {
        const uint16_t *next = j + 1 < count ? rows + ld_rows : 0;
        int64_t d = 0;
        for (; d + 8 <= width; d += 8) {
            uint16x8_t x = vld1q_u16(rows + d), y = next ? vld1q_u16(next + d) : vdupq_n_u16(0);
            nonfinite = vorrq_u16(nonfinite, vceqq_u16(vandq_u16(x, exponent_mask), exponent_mask));
            nonfinite = vorrq_u16(nonfinite, vceqq_u16(vandq_u16(y, exponent_mask), exponent_mask));
            vst1q_u16(to + 2 * d, vzip1q_u16(x, y));
            vst1q_u16(to + 2 * d + 8, vzip2q_u16(x, y));
        }
        for (; d < width; d++) {
            uint16_t x = rows[d], y = next ? next[d] : 0;
            finite &= (x & 0x7f80) != 0x7f80 && (y & 0x7f80) != 0x7f80;
            to[2 * d] = x;
            to[2 * d + 1] = y;
        }
    }
    return finite && vmaxvq_u16(nonfinite) == 0;
}

#endif
