/* Scalar conversions of bf16 and f16 in plain C. The vector kernels must give the same results. */
#ifndef HEED_NUMBER_H
#define HEED_NUMBER_H

#include <stdint.h>
#include <string.h>

static inline float bits_to_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t float_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bf16_to_float(uint16_t half) { return bits_to_float((uint32_t)half << 16); }

/* Rounds to nearest, ties to even. A NaN stays a NaN even if its payload is only in the lower 16 bits. */
static inline uint16_t float_to_bf16(float value) {
    uint32_t bits = float_to_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return (uint16_t)(bits >> 16 | 0x40);
    }
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float f16_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ffu;
    if (exponent == 31) {
        return bits_to_float(sign | 0x7f800000u | fraction << 13 | (fraction ? 0x400000u : 0));
    }
    if (exponent == 0) {
        float size = (float)fraction * 0x1p-24f;
        return sign ? -size : size;
    }
    return bits_to_float(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t float_to_f16(float value) {
    uint32_t bits = float_to_bits(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    }
    if (size >= 0x477ff000u) { /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00);
    }
    if (size < 0x38800000u) { /* below 2^-14: adding 0.5 rounds to a multiple of 2^-24, ties to even */
        return (uint16_t)(sign | (float_to_bits(bits_to_float(size) + 0.5f) - 0x3f000000u));
    }
    return (uint16_t)(sign | (((size + 0xfff + (size >> 13 & 1)) >> 13) - (112u << 10)));
}

#endif
