/* bf16 x bf16 -> f32 products of tiles, AMX-BF16: up to 16 rows by one panel (of 64 lanes in the drawing, or of 32 or 16), 16
 * pairs of depth per step.
 *
 *                         b: 16 pairs of depth, 64 lanes; loaded one tile at a time
 *                       +-----+-----+-----+-----+
 *     a: 16 rows,       |  0  |  1  |  2  |  3  |      tiles 0 to 3 hold the sums; 4 and 5 the operands of a
 *        16 pairs       +-----+-----+-----+-----+      block of depth; 6 and 7 the operands of the remainder
 *
 * Tiles are configured at the start of a call and released at its end, so no tile state remains in the thread. */
#if defined(__x86_64__)

#include "amx_tiles.h"
#include "avx512.h"

enum { SIDE = 16, SUMS = 0, ROWS = 4, LANES = 5, LAST_ROWS = 6, LAST_LANES = 7 };

INLINE void shape(struct tile_shapes *shapes, int tile, int64_t rows, int64_t pairs) {
    shapes->rows[tile] = (uint8_t)rows;
    shapes->row_bytes[tile] = (uint16_t)(4 * pairs);
}

/* Transposes 16 pairs of 16 rows: a holds pair k of all rows contiguously, to holds all pairs of a row contiguously. */
BASE INLINE void transpose_block(const uint16_t *a, int64_t a_pair_stride, uint32_t to[SIDE][SIDE]) {
    __m512i x[SIDE], y[SIDE];
    for (int k = 0; k < SIDE; k++) {
        x[k] = _mm512_loadu_si512(a + k * a_pair_stride);
    }
    for (int k = 0; k < SIDE; k += 2) {
        y[k] = _mm512_unpacklo_epi32(x[k], x[k + 1]);
        y[k + 1] = _mm512_unpackhi_epi32(x[k], x[k + 1]);
    }
    for (int k = 0; k < SIDE; k += 4) {
        x[k] = _mm512_unpacklo_epi64(y[k], y[k + 2]);
        x[k + 1] = _mm512_unpackhi_epi64(y[k], y[k + 2]);
        x[k + 2] = _mm512_unpacklo_epi64(y[k + 1], y[k + 3]);
        x[k + 3] = _mm512_unpackhi_epi64(y[k + 1], y[k + 3]);
    }
    for (int k = 0; k < 4; k++) { /* x[4 n + k] holds rows k, k + 4, k + 8, k + 12 of pairs 4 n to 4 n + 3 */
        __m512i even01 = _mm512_shuffle_i32x4(x[k], x[4 + k], 0x88), odd01 = _mm512_shuffle_i32x4(x[k], x[4 + k], 0xdd);
        __m512i even23 = _mm512_shuffle_i32x4(x[8 + k], x[12 + k], 0x88);
        __m512i odd23 = _mm512_shuffle_i32x4(x[8 + k], x[12 + k], 0xdd);
        _mm512_storeu_si512(to[k], _mm512_shuffle_i32x4(even01, even23, 0x88));
        _mm512_storeu_si512(to[k + 4], _mm512_shuffle_i32x4(odd01, odd23, 0x88));
        _mm512_storeu_si512(to[k + 8], _mm512_shuffle_i32x4(even01, even23, 0xdd));
        _mm512_storeu_si512(to[k + 12], _mm512_shuffle_i32x4(odd01, odd23, 0xdd));
    }
}

/* Copies the pairs of each row so that they are contiguous. The second element of an incomplete pair is 0. */
INLINE void gather(
    const uint16_t *a, int64_t lda, int64_t a_pair_stride, int64_t rows, int64_t depth, uint32_t to[SIDE][SIDE]) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t d = 0; d < depth; d += 2) {
            const uint16_t *from = a + r * lda + d / 2 * a_pair_stride;
            to[r][d / 2] = from[0] | (d + 1 < depth ? (uint32_t)from[1] << 16 : 0);
        }
    }
}

AMX void heed_bf16_product_amx(const uint16_t *a, int64_t a_offset, int64_t lda, int64_t a_pair_stride, int64_t rows,
    const uint16_t *b, int64_t b_offset, int64_t lanes, int64_t depth, float *c, int64_t c_offset, int64_t ldc,
    int32_t accumulate) {
    int64_t blocks = depth / (2 * SIDE), left = depth % (2 * SIDE);
    uint32_t block[SIDE][SIDE];
    for (int64_t r = 0; r < rows; r += SIDE) {
        int64_t here = rows - r < SIDE ? rows - r : SIDE;
        if (r == 0 || here < SIDE) {
            struct tile_shapes shapes = {.palette = 1};
            for (int v = 0; v < 4; v++) {
                shape(&shapes, SUMS + v, here, SIDE);
            }
            shape(&shapes, ROWS, here, SIDE);
            shape(&shapes, LANES, SIDE, SIDE);
            if (left > 0) {
                shape(&shapes, LAST_ROWS, here, (left + 1) / 2);
                shape(&shapes, LAST_LANES, (left + 1) / 2, SIDE);
            }
            TILE_SHAPES(&shapes);
        }
        const uint16_t *x = a + a_offset + r * lda, *y = b + b_offset;
        float *to = c + c_offset + r * ldc;
        if (accumulate) {
            TILE_LOAD(0, to, 4 * ldc);
            if (lanes > 16) {
                TILE_LOAD(1, to + 16, 4 * ldc);
            }
            if (lanes > 32) {
                TILE_LOAD(2, to + 32, 4 * ldc);
                TILE_LOAD(3, to + 48, 4 * ldc);
            }
        } else {
            TILE_ZERO(0);
            TILE_ZERO(1);
            TILE_ZERO(2);
            TILE_ZERO(3);
        }
#define BY_LANES(tile, of_lanes)                                                                                       \
    do {                                                                                                               \
        TILE_LOAD(of_lanes, y, 4 * lanes);                                                                             \
        TILE_DOT(0, tile, of_lanes);                                                                                   \
        if (lanes > 16) {                                                                                              \
            TILE_LOAD(of_lanes, y + 32, 4 * lanes);                                                                    \
            TILE_DOT(1, tile, of_lanes);                                                                               \
        }                                                                                                              \
        if (lanes > 32) {                                                                                              \
            TILE_LOAD(of_lanes, y + 64, 4 * lanes);                                                                    \
            TILE_DOT(2, tile, of_lanes);                                                                               \
            TILE_LOAD(of_lanes, y + 96, 4 * lanes);                                                                    \
            TILE_DOT(3, tile, of_lanes);                                                                               \
        }                                                                                                              \
    } while (0)
        for (int64_t k = 0; k < blocks; k++, x += SIDE * a_pair_stride, y += SIDE * 2 * lanes) {
            if (a_pair_stride == 2) {
                TILE_LOAD(4, x, 2 * lda);
            } else {
                if (lda == 2 && here == SIDE) {
                    transpose_block(x, a_pair_stride, block);
                } else {
                    gather(x, lda, a_pair_stride, here, 2 * SIDE, block);
                }
                TILE_LOAD(4, block, sizeof block[0]);
            }
            BY_LANES(4, 5);
        }
        if (left > 0) {
            gather(x, lda, a_pair_stride, here, left, block);
            TILE_LOAD(6, block, sizeof block[0]);
            BY_LANES(6, 7);
        }
        TILE_STORE(0, to, 4 * ldc);
        if (lanes > 16) {
            TILE_STORE(1, to + 16, 4 * ldc);
        }
        if (lanes > 32) {
            TILE_STORE(2, to + 32, 4 * ldc);
            TILE_STORE(3, to + 48, 4 * ldc);
        }
    }
    if (rows > 0) {
        TILE_RELEASE();
    }
}

#endif
