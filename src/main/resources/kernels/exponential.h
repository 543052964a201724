// accurate_exp2 and accurate_tanh, whose accuracy in f32 is known and the same on every device. OpenCL allows the built-in
// functions errors of 3 and 5 ulp, which is more than the error budget of attention.
#ifndef HEED_EXPONENTIAL
#define HEED_EXPONENTIAL
#include "element.h"

// DEFINE_EXP2_TANH: defines both functions for a type T of one or more reals; INTS is the type of the same number of 32-bit integers.
#if REAL_F64 // the built-in functions; on some devices exp2 returns NaN below -1022
#define DEFINE_EXP2_TANH(T) \
  inline T __attribute__((overloadable)) accurate_exp2(T x) { return x < -1022.0 ? (T)0.0 : exp2(x); } \
  inline T __attribute__((overloadable)) accurate_tanh(T x) { return tanh(x); }
#else
// accurate_exp2: 2^x for x <= 0. Adding and subtracting 1.5 * 2^23 splits x into n + f with an integer n and |f| <= 1/2. A
// polynomial computes 2^f, exactly at 0 and within 1 ulp elsewhere; n is added to the exponent. The result is 0 for x < -126,
// and NaN for NaN.
// accurate_tanh: an odd polynomial of degree 11 for |x| < 0.625 (Moshier, Cephes tanhf), otherwise
// (1 - e^(-2|x|)) / (1 + e^(-2|x|)) with the sign of x; within 2 ulp.
#define DEFINE_EXP2_TANH(T, INTS) \
  inline T __attribute__((overloadable)) accurate_exp2(T x) { \
    const T split = 0x1.8p23f; \
    const T t = x + split; \
    const T f = x - (t - split); \
    T y = fma(f, (T)0x1.41fbbcp-13f, (T)0x1.5f3e54p-10f); \
    y = fma(y, f, (T)0x1.3b2d4cp-7f); \
    y = fma(y, f, (T)0x1.c6aee8p-5f); \
    y = fma(y, f, (T)0x1.ebfbdcp-3f); \
    y = fma(y, f, (T)0x1.62e430p-1f); \
    y = fma(y, f, (T)1.0f); \
    y = PASTE(as_, T)(PASTE(as_, INTS)(y) + (PASTE(as_, INTS)(t) << 23)); \
    return x < -126.0f ? (T)0.0f : x != x ? x : y; \
  } \
  inline T __attribute__((overloadable)) accurate_tanh(T x) { \
    const T size = fabs(x); \
    const T z = x * x; \
    T small = fma(z, (T)-5.70498872745e-3f, (T)2.06390887954e-2f); \
    small = fma(small, z, (T)-5.37397155531e-2f); \
    small = fma(small, z, (T)1.33314422036e-1f); \
    small = fma(small, z, (T)-3.33332819422e-1f); \
    small = fma(small * z, x, x); \
    const T capped = size > 20.0f ? (T)20.0f : size; \
    const T down = accurate_exp2(capped * (-2.0f * LOG2E)); \
    const T large = (1.0f - down) / (1.0f + down); \
    return size < 0.625f ? small : x < 0.0f ? -large : x != x ? x : large; \
  }
#endif

#if REAL_F64
DEFINE_EXP2_TANH(double)
#if LANES > 1
DEFINE_EXP2_TANH(vec)
#endif
#else
DEFINE_EXP2_TANH(float, int)
#if LANES == 2
DEFINE_EXP2_TANH(float2, int2)
#elif LANES == 4
DEFINE_EXP2_TANH(float4, int4)
#elif LANES == 8
DEFINE_EXP2_TANH(float8, int8)
#elif LANES == 16
DEFINE_EXP2_TANH(float16, int16)
#endif
#endif

#endif
