// What a linear layer does to every element of its product, and to the gradients on their way back.
#include "exponential.h"

#ifndef ACTIVATION // 0 identity, 1 relu, 2 gelu, 3 tanh
#define ACTIVATION 0
#endif

typedef STORED(STORAGE) element;

// The standard normal distribution: each branch where it does not cancel.
inline real normal(real x) {
  const real y = x * (real)0.7071067811865476;
  return fabs(x) < 1 ? fma((real)0.5, erf(y), (real)0.5) : (real)0.5 * erfc(-y);
}

inline real activated(real x) {
#if ACTIVATION == 1
  return x < 0 ? 0 : x;
#elif ACTIVATION == 2
  return x == -INFINITY ? 0 : x * normal(x);
#elif ACTIVATION == 3
  return tangent(x);
#else
  return x;
#endif
}

inline real slope(real x) {
#if ACTIVATION == 1
  return x > 0 ? 1 : x != x ? x : 0;
#elif ACTIVATION == 2
  return isinf(x) ? normal(x) : normal(x) + x * exp(x * x * (real)-0.5) * (real)0.3989422804014327;
#elif ACTIVATION == 3
  const real y = tangent(x);
  return 1 - y * y;
#else
  return 1;
#endif
}

// One work-item an element.
kernel void activate(global const real* from, global element* to, const long count) {
  const long n = get_global_id(0);
  if (n < count) {
    STORE(STORAGE, activated(from[n]), to, n);
  }
}

// The gradients of the products, from the products and the gradients of the elements.
kernel void flow_back(global const real* products, global const element* gradients, global real* to, const long count) {
  const long n = get_global_id(0);
  if (n < count) {
    to[n] = LOAD(STORAGE, gradients, n) * slope(products[n]);
  }
}
