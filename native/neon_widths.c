/* Conversions of arrays between element types on Arm. bf16 is rounded by integer arithmetic and needs no bf16 instructions. */
#if defined(__aarch64__)

#include "neon.h"

void heed_bf16_widen_neon(const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        vst1q_f32(to + to_offset + i, bf16_to_floats(vld1_u16(from + from_offset + i)));
    }
    for (; i < count; i++) {
        to[to_offset + i] = bf16_to_float(from[from_offset + i]);
    }
}

void heed_f16_widen_neon(const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        vst1q_f32(to + to_offset + i, f16_to_floats(vld1_u16(from + from_offset + i)));
    }
    for (; i < count; i++) {
        to[to_offset + i] = f16_to_float(from[from_offset + i]);
    }
}

void heed_i8_widen_neon(const int8_t *from, int64_t from_offset, int64_t count, float scale, float *to,
    int64_t to_offset) {
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        int16x8_t wide = vmovl_s8(vld1_s8(from + from_offset + i));
        vst1q_f32(to + to_offset + i, vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))), scale));
        vst1q_f32(to + to_offset + i + 4, vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide))), scale));
    }
    for (; i < count; i++) {
        to[to_offset + i] = (float)from[from_offset + i] * scale;
    }
}

void heed_bf16_narrow_neon(const float *from, int64_t from_offset, int64_t ld_from, int64_t rows, int64_t count,
    uint16_t *to, int64_t to_offset, int64_t ld_to) {
    from += from_offset;
    to += to_offset;
    for (int64_t r = 0; r < rows; r++, from += ld_from, to += ld_to) {
        int64_t i = 0;
        for (; i + 4 <= count; i += 4) {
            vst1_u16(to + i, floats_to_bf16(vld1q_f32(from + i)));
        }
        for (; i < count; i++) {
            to[i] = float_to_bf16(from[i]);
        }
    }
}

void heed_f16_narrow_neon(const float *from, int64_t from_offset, int64_t count, uint16_t *to, int64_t to_offset) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        vst1_u16(to + to_offset + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + from_offset + i))));
    }
    for (; i < count; i++) {
        to[to_offset + i] = float_to_f16(from[from_offset + i]);
    }
}

#endif
