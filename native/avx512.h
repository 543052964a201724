/* Macros and helper functions of the AVX-512 files. Each function with vector instructions names the instructions that it is
 * compiled for, so that the other functions of the library run on any processor. */
#ifndef HEED_AVX512_H
#define HEED_AVX512_H

#include "heed.h"
#include <immintrin.h>
#include <string.h>

#define BASE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c")))
#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c,avx512bf16")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c,avx512vnni")))
#define INLINE static inline __attribute__((always_inline))

/* Returns a mask of the first n lanes. n must be 0 to 16 in lanes16; in lanes32 and lanes64, an n
 * above the number of lanes selects all lanes. */
INLINE __mmask16 lanes16(int64_t n) { return (__mmask16)((1u << n) - 1); }
INLINE __mmask32 lanes32(int64_t n) { return n >= 32 ? 0xffffffffu : (1u << n) - 1; }
INLINE __mmask64 lanes64(int64_t n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }

/* Returns the sums of four vectors: lane n of the result is the sum of the elements of vector n. */
BASE INLINE __m128 sum_four(__m512 s0, __m512 s1, __m512 s2, __m512 s3) {
    __m512 t01 = _mm512_add_ps(_mm512_unpacklo_ps(s0, s1), _mm512_unpackhi_ps(s0, s1));
    __m512 t23 = _mm512_add_ps(_mm512_unpacklo_ps(s2, s3), _mm512_unpackhi_ps(s2, s3));
    __m512 low = _mm512_shuffle_ps(t01, t23, 0x44);
    __m512 high = _mm512_shuffle_ps(t01, t23, 0xee);
    __m512 sums = _mm512_add_ps(low, high);
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sums), _mm512_extractf32x8_ps(sums, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

BASE INLINE __m128i sum_four_ints(__m512i s0, __m512i s1, __m512i s2, __m512i s3) {
    __m512i t01 = _mm512_add_epi32(_mm512_unpacklo_epi32(s0, s1), _mm512_unpackhi_epi32(s0, s1));
    __m512i t23 = _mm512_add_epi32(_mm512_unpacklo_epi32(s2, s3), _mm512_unpackhi_epi32(s2, s3));
    __m512i sums = _mm512_add_epi32(_mm512_unpacklo_epi64(t01, t23), _mm512_unpackhi_epi64(t01, t23));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

#endif
