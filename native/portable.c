/* The twins: every kernel in plain C, for processors without its instructions and as the truth of its test. */
#include "heed.h"
#include "number.h"

#define TWIN(result, name) result heed_##name##_portable

TWIN(void, bf16_product)
(const uint16_t *a, int64_t a_at, int64_t a_row, int64_t a_step, int64_t rows, const uint16_t *b, int64_t b_at,
    int64_t lanes, int64_t depth, float *c, int64_t c_at, int64_t c_row, int32_t onto) {
    for (int64_t r = 0; r < rows; r++) {
        float *to = c + c_at + r * c_row;
        for (int64_t i = 0; i < lanes; i++) {
            float sum = onto ? to[i] : 0;
            for (int64_t d = 0; d < depth; d++) {
                uint16_t x = a[a_at + r * a_row + d / 2 * a_step + d % 2];
                uint16_t y = b[b_at + (d / 2 * lanes + i) * 2 + d % 2];
                sum += bf16_to_float(x) * bf16_to_float(y);
            }
            to[i] = sum;
        }
    }
}

TWIN(void, bf16_turn)
(const uint16_t *rows, int64_t at, int64_t row, int64_t count, int64_t depth, int32_t flip, uint16_t *to,
    int64_t to_at, int64_t lanes) {
    uint16_t sign = flip ? 0x8000 : 0;
    for (int64_t d = 0; d < (depth + 1) / 2 * 2; d++) {
        for (int64_t i = 0; i < lanes; i++) {
            int there = i < count && d < depth;
            to[to_at + (d / 2 * lanes + i) * 2 + d % 2] = there ? (uint16_t)(rows[at + i * row + d] ^ sign) : 0;
        }
    }
}

TWIN(int32_t, bf16_interleave)
(const uint16_t *rows, int64_t at, int64_t row, int64_t count, int64_t width, uint16_t *to, int64_t to_at,
    int64_t to_row) {
    int32_t finite = 1;
    for (int64_t j = 0; j < (count + 1) / 2 * 2; j++) {
        for (int64_t d = 0; d < width; d++) {
            uint16_t value = j < count ? rows[at + j * row + d] : 0;
            finite &= (value & 0x7f80) != 0x7f80;
            to[to_at + j / 2 * to_row + 2 * d + j % 2] = value;
        }
    }
    return finite;
}

TWIN(void, bf16_pairs)
(const float *tile, int64_t at, int64_t row, int64_t count, uint16_t *to, int64_t to_at, int64_t lanes) {
    for (int64_t j = 0; j < (count + 1) / 2 * 2; j++) {
        for (int64_t i = 0; i < lanes; i++) {
            to[to_at + (j / 2 * lanes + i) * 2 + j % 2] = j < count ? float_to_bf16(tile[at + j * row + i]) : 0;
        }
    }
}

TWIN(void, bf16_widen)(const uint16_t *from, int64_t at, int64_t count, float *to, int64_t to_at) {
    for (int64_t i = 0; i < count; i++) {
        to[to_at + i] = bf16_to_float(from[at + i]);
    }
}

TWIN(void, f16_widen)(const uint16_t *from, int64_t at, int64_t count, float *to, int64_t to_at) {
    for (int64_t i = 0; i < count; i++) {
        to[to_at + i] = f16_to_float(from[at + i]);
    }
}

TWIN(void, i8_widen)(const int8_t *from, int64_t at, int64_t count, float scale, float *to, int64_t to_at) {
    for (int64_t i = 0; i < count; i++) {
        to[to_at + i] = (float)from[at + i] * scale;
    }
}

TWIN(void, bf16_narrow)(const float *from, int64_t at, int64_t count, uint16_t *to, int64_t to_at) {
    for (int64_t i = 0; i < count; i++) {
        to[to_at + i] = float_to_bf16(from[at + i]);
    }
}

TWIN(void, f16_narrow)(const float *from, int64_t at, int64_t count, uint16_t *to, int64_t to_at) {
    for (int64_t i = 0; i < count; i++) {
        to[to_at + i] = float_to_f16(from[at + i]);
    }
}

TWIN(void, bf16_dots)
(const uint16_t *q, int64_t q_at, int64_t q_row, int64_t rows, const uint16_t *k, int64_t k_at, int64_t k_row,
    int64_t leap, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_at, int64_t s_row) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t n = 0; n < runs * count; n++) {
            const uint16_t *key = k + k_at + n / count * leap + n % count * k_row;
            float sum = 0;
            for (int64_t d = 0; d < depth; d++) {
                sum += bf16_to_float(q[q_at + r * q_row + d]) * bf16_to_float(key[d]);
            }
            s[s_at + r * s_row + n] = sum;
        }
    }
}

TWIN(void, f16_dots)
(const float *q, int64_t q_at, int64_t q_row, int64_t rows, const uint16_t *k, int64_t k_at, int64_t k_row,
    int64_t leap, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_at, int64_t s_row) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t n = 0; n < runs * count; n++) {
            const uint16_t *key = k + k_at + n / count * leap + n % count * k_row;
            float sum = 0;
            for (int64_t d = 0; d < depth; d++) {
                sum += q[q_at + r * q_row + d] * f16_to_float(key[d]);
            }
            s[s_at + r * s_row + n] = sum;
        }
    }
}

TWIN(void, i8_dots)
(const int8_t *q, int64_t q_at, const float *units, int64_t rows, const int8_t *k, int64_t k_at, int64_t k_row,
    int64_t leap, int64_t runs, int64_t count, int64_t depth, const float *scales, int64_t scales_at,
    int64_t scales_step, int64_t scales_leap, float *s, int64_t s_at, int64_t s_row) {
    for (int64_t r = 0; r < rows; r++) {
        const int8_t *limbs = q + q_at + r * HEED_LIMBS * depth;
        for (int64_t n = 0; n < runs * count; n++) {
            const int8_t *key = k + k_at + n / count * leap + n % count * k_row;
            int32_t sums[HEED_LIMBS] = {0};
            for (int limb = 0; limb < HEED_LIMBS; limb++) {
                for (int64_t d = 0; d < depth; d++) {
                    sums[limb] += limbs[limb * depth + d] * key[d];
                }
            }
            int64_t whole = ((int64_t)sums[2] * 256 + sums[1]) * 256 + sums[0];
            float scale = scales[scales_at + n / count * scales_leap + n % count * scales_step];
            s[s_at + r * s_row + n] = (float)((double)whole * units[r]) * scale;
        }
    }
}

/* One row of values at a time, of each run in turn. */
#define POOL(name, element, widen, ...)                                                                                \
    TWIN(void, name)                                                                                                   \
    (const float *w, int64_t w_at, int64_t w_row, int64_t rows, const element *v, int64_t v_at, int64_t v_row,         \
        int64_t leap, int64_t runs, int64_t count, int64_t width __VA_ARGS__, float *c, int64_t c_at, int64_t c_row,   \
        int32_t skip) {                                                                                                \
        for (int64_t r = 0; r < rows; r++) {                                                                           \
            float *to = c + c_at + r * c_row;                                                                          \
            for (int64_t j = 0; j < count; j++) {                                                                      \
                for (int64_t run = 0; run < runs; run++) {                                                             \
                    float weight = w[w_at + r * w_row + run * count + j];                                              \
                    if (skip && weight == 0) {                                                                         \
                        continue;                                                                                      \
                    }                                                                                                  \
                    const element *value = v + v_at + run * leap + j * v_row;                                          \
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
#define SCALED weight *= scales[scales_at + run * scales_leap + j * scales_step];
POOL(i8_pool, int8_t, (float), , const float *scales, int64_t scales_at, int64_t scales_step, int64_t scales_leap)
