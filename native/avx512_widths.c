/* Conversions of arrays between element types. bf16 is rounded by integer arithmetic because the processor's own conversion
 * flushes subnormal numbers to 0. */
#if defined(__x86_64__)

#include "avx512.h"

BASE void heed_bf16_widen_avx512(const uint16_t *from, int64_t from_offset, int64_t count, float *to,
    int64_t to_offset) {
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 mask = count - i < 16 ? lanes16(count - i) : 0xffff;
        __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from + from_offset + i));
        _mm512_mask_storeu_epi32(to + to_offset + i, mask, _mm512_slli_epi32(wide, 16));
    }
}

BASE void heed_f16_widen_avx512(const uint16_t *from, int64_t from_offset, int64_t count, float *to,
    int64_t to_offset) {
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 mask = count - i < 16 ? lanes16(count - i) : 0xffff;
        __m512 wide = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, from + from_offset + i));
        _mm512_mask_storeu_ps(to + to_offset + i, mask, wide);
    }
}

BASE void heed_i8_widen_avx512(
    const int8_t *from, int64_t from_offset, int64_t count, float scale, float *to, int64_t to_offset) {
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 mask = count - i < 16 ? lanes16(count - i) : 0xffff;
        __m512i wide = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, from + from_offset + i));
        _mm512_mask_storeu_ps(
            to + to_offset + i, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(wide), _mm512_set1_ps(scale)));
    }
}

/* Rounds to nearest, ties to even, including subnormal numbers. A NaN stays a NaN. */
BASE INLINE __m256i to_bf16(__m512i bits) {
    __m512i upper = _mm512_srli_epi32(bits, 16);
    __m512i last = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(last, _mm512_set1_epi32(0x7fff)));
    __mmask16 is_nan = _mm512_cmp_ps_mask(_mm512_castsi512_ps(bits), _mm512_castsi512_ps(bits), _CMP_UNORD_Q);
    __m512i rounded = _mm512_mask_or_epi32(_mm512_srli_epi32(sum, 16), is_nan, upper, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(rounded);
}

BASE void heed_bf16_narrow_avx512(const float *from, int64_t from_offset, int64_t ld_from, int64_t rows, int64_t count,
    uint16_t *to, int64_t to_offset, int64_t ld_to) {
    from += from_offset;
    to += to_offset;
    for (int64_t r = 0; r < rows; r++, from += ld_from, to += ld_to) {
        int64_t i = 0;
        for (; i + 16 <= count; i += 16) {
            _mm256_storeu_si256((__m256i *)(to + i), to_bf16(_mm512_loadu_si512(from + i)));
        }
        if (i < count) {
            __mmask16 mask = lanes16(count - i);
            _mm256_mask_storeu_epi16(to + i, mask, to_bf16(_mm512_maskz_loadu_epi32(mask, from + i)));
        }
    }
}

BASE void heed_f16_narrow_avx512(const float *from, int64_t from_offset, int64_t count, uint16_t *to,
    int64_t to_offset) {
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 mask = count - i < 16 ? lanes16(count - i) : 0xffff;
        __m512 wide = _mm512_maskz_loadu_ps(mask, from + from_offset + i);
        __m256i half = _mm512_cvtps_ph(wide, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm256_mask_storeu_epi16(to + to_offset + i, mask, half);
    }
}

#endif
