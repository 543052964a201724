// The activation of a linear layer, element-wise, and its gradient. `products` are the inputs of the activation.
//
//   activate             to[n] = f(from[n])
//   activation_backward  to[n] = gradients[n] f'(products[n])
//
// -D options: ACTIVATION, STORAGE (of the outputs and their gradients; inputs are reals), REAL_F64, HAS_FMA.
// One work-item per element; work-items from `count` on do nothing.
#include "exponential.h"

#ifndef ACTIVATION // 0 identity, 1 relu, 2 gelu, 3 tanh
#define ACTIVATION 0
#endif

#if REAL_F64
#define INV_SQRT_2PI 0.3989422804014327
#else
#define INV_SQRT_2PI 0.39894228f
#endif

typedef STORED(STORAGE) element;

// The rounding error of a product: x y - p, computed exactly, where p is x y rounded.
inline float product_error(float x, float y, float p) {
#if HAS_FMA
  return fma(x, y, -p);
#else // splits x and y into halves of 12 bits, whose products are exact (Dekker 1971)
#pragma OPENCL FP_CONTRACT OFF
  const float sx = x * 4097.0f, sy = y * 4097.0f;
  const float xh = sx - (sx - x), yh = sy - (sy - y);
  const float xl = x - xh, yl = y - yh;
  return xl * yl - (((p - xh * yh) - xl * yh) - xh * yl);
#endif
}

// The cumulative distribution function of the standard normal distribution: 1/2 plus an odd function (erf, or a polynomial
// in f32) for |x| < 1, else erfc(-x / sqrt(2)) / 2, so that small results do not lose digits by cancellation.
inline real normal_cdf(real x) {
#if REAL_F64
  const real y = x * 0.7071067811865476;
  return fabs(x) < 1 ? fma(0.5, erf(y), 0.5) : 0.5 * erfc(-y);
#else
  const real z = x * x;
  real y = -1.1301171641619214e-10f;
  y = fma(y, z, 2.273529824372807e-09f);
  y = fma(y, z, -4.122667414862689e-08f);
  y = fma(y, z, 6.659693516316652e-07f);
  y = fma(y, z, -9.444656259503615e-06f);
  y = fma(y, z, 0.0001154346876161553f);
  y = fma(y, z, -0.0011873282154804545f);
  y = fma(y, z, 0.009973557010035819f);
  y = fma(y, z, -0.06649038006690546f);
  y = fma(y, z, 0.3989422804014327f);
  if (z < 1) {
    return fma(x, y, 0.5f);
  }
  const float scaled = x * -0.70710678f; // `rest` is the exact product minus `scaled`; erfc would magnify this error
  const float rest = product_error(x, -0.70710678f, scaled) - x * 1.2101617e-8f;
  return 0.5f * fma(rest * -1.1283792f, exp(-scaled * scaled), erfc(scaled));
#endif
}

// The activation f.
inline real activated(real x) {
#if ACTIVATION == 1
  return x < 0 ? 0 : x;
#elif ACTIVATION == 2
  return x == -INFINITY ? 0 : x * normal_cdf(x);
#elif ACTIVATION == 3
  return accurate_tanh(x);
#else
  return x;
#endif
}

// The derivative f' at x.
inline real derivative(real x) {
#if ACTIVATION == 1
  return x > 0 ? 1 : x != x ? x : 0;
#elif ACTIVATION == 2
  return isinf(x) ? normal_cdf(x) : normal_cdf(x) + x * exp(x * x * (real)-0.5f) * INV_SQRT_2PI;
#elif ACTIVATION == 3
  const real y = accurate_tanh(x);
  return 1 - y * y;
#else
  return 1;
#endif
}

kernel void activate(global const real* from, global element* to, const long count) {
  const long n = get_global_id(0);
  if (n < count) {
    STORE(STORAGE, activated(from[n]), to, n);
  }
}

kernel void activation_backward(global const real* products, global const element* gradients, global real* to,
                                const long count) {
  const long n = get_global_id(0);
  if (n < count) {
    to[n] = LOAD(STORAGE, gradients, n) * derivative(products[n]);
  }
}
