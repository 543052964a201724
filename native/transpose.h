/* Transposes rows of bf16 into the lanes of a panel, one pair of elements at a time. No vector instructions are used because the
 * stores are the bottleneck. */
#ifndef HEED_TRANSPOSE_H
#define HEED_TRANSPOSE_H

#include "heed.h"
#include <string.h>

static inline void transpose_rows(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count,
    int64_t depth, int32_t negate, uint16_t *to, int64_t to_offset, int64_t lanes) {
    uint32_t sign = negate ? 0x80008000u : 0;
    to += to_offset;
    if (count < lanes) {
        memset(to, 0, (size_t)((depth + 1) / 2 * 2 * lanes) * sizeof *to);
    }
    for (int64_t i = 0; i < count; i++) {
        const uint16_t *from = rows + rows_offset + i * ld_rows;
        uint16_t *lane = to + 2 * i;
        for (int64_t p = 0; p < depth / 2; p++) {
            uint32_t two;
            memcpy(&two, from + 2 * p, sizeof two);
            two ^= sign;
            memcpy(lane + p * 2 * lanes, &two, sizeof two);
        }
        if (depth % 2) {
            uint32_t one = (uint16_t)(from[depth - 1] ^ sign);
            memcpy(lane + depth / 2 * 2 * lanes, &one, sizeof one);
        }
    }
}

#endif
