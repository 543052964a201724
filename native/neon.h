/* Macros and helper functions of the files for 64-bit Arm. Every 64-bit Arm processor has NEON. Functions that need more are
 * marked BF16 or I8MM, and are called only if the system supports these instructions. The instructions are inline assembler
 * because clang before 16 offers their intrinsics only if the whole file is compiled for them. */
#ifndef HEED_NEON_H
#define HEED_NEON_H

#include "heed.h"
#include "number.h"
#include <arm_neon.h>
#include <string.h>

#ifdef __clang__
#define BF16 __attribute__((target("bf16")))
#define I8MM __attribute__((target("i8mm")))
#else
#define BF16 __attribute__((target("arch=armv8.2-a+bf16")))
#define I8MM __attribute__((target("arch=armv8.2-a+i8mm")))
#endif
#define INLINE static inline __attribute__((always_inline))

/* c[i][j] += sum over k < 4 of a[i][k] b[j][k], for i and j below 2 */
INLINE float32x4_t bfmmla(float32x4_t c, uint16x8_t a, uint16x8_t b) {
    __asm__("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(c) : "w"(a), "w"(b));
    return c;
}

/* c[i] += a[2 i] b[2 i] + a[2 i + 1] b[2 i + 1] */
INLINE float32x4_t bfdot(float32x4_t c, uint16x8_t a, uint16x8_t b) {
    __asm__("bfdot %0.4s, %1.8h, %2.8h" : "+w"(c) : "w"(a), "w"(b));
    return c;
}

/* c[i][j] += sum over k < 8 of a[i][k] b[j][k], for i and j below 2 */
INLINE int32x4_t smmla(int32x4_t c, int8x16_t a, int8x16_t b) {
    __asm__("smmla %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
    return c;
}

INLINE float32x4_t bf16_to_floats(uint16x4_t halves) { return vreinterpretq_f32_u32(vshll_n_u16(halves, 16)); }

INLINE float32x4_t f16_to_floats(uint16x4_t halves) { return vcvt_f32_f16(vreinterpret_f16_u16(halves)); }

/* Rounds to nearest, ties to even, including subnormal numbers. A NaN stays a NaN. */
INLINE uint16x4_t floats_to_bf16(float32x4_t values) {
    uint32x4_t bits = vreinterpretq_u32_f32(values);
    uint32x4_t upper = vshrq_n_u32(bits, 16);
    uint32x4_t sum = vaddq_u32(bits, vaddq_u32(vandq_u32(upper, vdupq_n_u32(1)), vdupq_n_u32(0x7fff)));
    uint32x4_t not_nan = vceqq_f32(values, values);
    return vmovn_u32(vbslq_u32(not_nan, vshrq_n_u32(sum, 16), vorrq_u32(upper, vdupq_n_u32(0x40))));
}

#endif
