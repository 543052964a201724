/* Weighted sums of values for a few queries on Arm. As in avx512_pool.c, terms are added in a fixed order with one rounding each,
 * which gives the same bits as the portable version. */
#if defined(__aarch64__)

#include "neon.h"

/* Functions that load eight values, or one value, as floats. */
typedef void (*values)(const void *, int64_t, float32x4_t[2]);
typedef float (*single)(const void *, int64_t);

INLINE void bf16_values(const void *from, int64_t offset, float32x4_t to[2]) {
    uint16x8_t halves = vld1q_u16((const uint16_t *)from + offset);
    to[0] = bf16_to_floats(vget_low_u16(halves));
    to[1] = bf16_to_floats(vget_high_u16(halves));
}

INLINE void f16_values(const void *from, int64_t offset, float32x4_t to[2]) {
    uint16x8_t halves = vld1q_u16((const uint16_t *)from + offset);
    to[0] = f16_to_floats(vget_low_u16(halves));
    to[1] = f16_to_floats(vget_high_u16(halves));
}

INLINE void i8_values(const void *from, int64_t offset, float32x4_t to[2]) {
    int16x8_t wide = vmovl_s8(vld1_s8((const int8_t *)from + offset));
    to[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
    to[1] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide)));
}

INLINE float bf16_value(const void *from, int64_t offset) { return bf16_to_float(((const uint16_t *)from)[offset]); }
INLINE float f16_value(const void *from, int64_t offset) { return f16_to_float(((const uint16_t *)from)[offset]); }
INLINE float i8_value(const void *from, int64_t offset) { return ((const int8_t *)from)[offset]; }

INLINE float factor(const float *w, int64_t w_index, const float *scales, int64_t scales_index) {
    return scales ? w[w_index] * scales[scales_index] : w[w_index];
}

/* rows and eights are constants after inlining; eights is the number of groups of eight columns. */
INLINE void columns(const int rows, const int eights, const values load, const float *w, int64_t ldw, const void *v,
    int64_t v_offset, int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, const float *scales,
    int64_t scales_stride, int64_t scales_run_stride, float *c, int64_t ldc, int32_t skip) {
    float32x4_t sums[2][8];
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < 2 * eights; i++) {
            sums[r][i] = vld1q_f32(c + r * ldc + i * 4);
        }
    }
    for (int64_t j = 0; j < count; j++) {
        for (int64_t run = 0; run < runs; run++) {
            int64_t w_index = run * count + j;
            if (skip && w[w_index] == 0) { /* skip implies rows == 1 */
                continue;
            }
            float factors[2];
#pragma GCC unroll 2
            for (int r = 0; r < rows; r++) {
                factors[r] = factor(w, r * ldw + w_index, scales, run * scales_run_stride + j * scales_stride);
            }
#pragma GCC unroll 4
            for (int i = 0; i < eights; i++) {
                float32x4_t value[2];
                load(v, v_offset + run * run_stride + j * ldv + i * 8, value);
#pragma GCC unroll 2
                for (int r = 0; r < rows; r++) {
                    sums[r][2 * i] = vfmaq_n_f32(sums[r][2 * i], value[0], factors[r]);
                    sums[r][2 * i + 1] = vfmaq_n_f32(sums[r][2 * i + 1], value[1], factors[r]);
                }
            }
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < 2 * eights; i++) {
            vst1q_f32(c + r * ldc + i * 4, sums[r][i]);
        }
    }
}

INLINE void row_pool(const int rows, const values load, const single one, const float *w, int64_t ldw, const void *v,
    int64_t v_offset, int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, const float *scales,
    int64_t scales_stride, int64_t scales_run_stride, float *c, int64_t ldc, int32_t skip) {
    int64_t d = 0;
#define COLUMNS(eights)                                                                                                \
    columns(rows, eights, load, w, ldw, v, v_offset + d, ldv, run_stride, runs, count, scales, scales_stride,          \
        scales_run_stride, c + d, ldc, skip)
    for (; d + 32 <= width; d += 32) {
        COLUMNS(4);
    }
    for (; d + 8 <= width; d += 8) {
        COLUMNS(1);
    }
#undef COLUMNS
    for (; d < width; d++) {
        for (int r = 0; r < rows; r++) {
            float sum = c[r * ldc + d];
            for (int64_t j = 0; j < count; j++) {
                for (int64_t run = 0; run < runs; run++) {
                    int64_t w_index = r * ldw + run * count + j;
                    if (!skip || w[w_index] != 0) {
                        float weight = factor(w, w_index, scales, run * scales_run_stride + j * scales_stride);
                        sum = __builtin_fmaf(weight, one(v, v_offset + run * run_stride + j * ldv + d), sum);
                    }
                }
            }
            c[r * ldc + d] = sum;
        }
    }
}

#define POOL(name, element, load, one, ...)                                                                            \
    void heed_##name##_neon(const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const element *v,             \
        int64_t v_offset, int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width __VA_ARGS__,     \
        float *c, int64_t c_offset, int64_t ldc, int32_t skip) {                                                       \
        int64_t r = 0;                                                                                                 \
        w += w_offset;                                                                                                 \
        c += c_offset;                                                                                                 \
        for (; !skip && r + 2 <= rows; r += 2) {                                                                       \
            row_pool(2, load, one, w + r * ldw, ldw, v, v_offset, ldv, run_stride, runs, count, width, SCALES,         \
                c + r * ldc, ldc, 0);                                                                                  \
        }                                                                                                              \
        for (; r < rows; r++) {                                                                                        \
            row_pool(1, load, one, w + r * ldw, ldw, v, v_offset, ldv, run_stride, runs, count, width, SCALES,         \
                c + r * ldc, ldc, skip);                                                                               \
        }                                                                                                              \
    }

#define SCALES 0, 0, 0
POOL(bf16_pool, uint16_t, bf16_values, bf16_value)
POOL(f16_pool, uint16_t, f16_values, f16_value)
#undef SCALES
#define SCALES scales + scales_offset, scales_stride, scales_run_stride
POOL(i8_pool, int8_t, i8_values, i8_value, , const float *scales, int64_t scales_offset, int64_t scales_stride,
    int64_t scales_run_stride)

#endif
