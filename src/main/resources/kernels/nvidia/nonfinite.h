// Non-finite values in tiles. A value of weight 0 must add nothing, but a matrix unit multiplies it, and 0 times infinity or
// NaN is NaN. So kernels search a tile for non-finite values, add them to the rows in which their weight is not 0, and
// replace them with zeros.
#ifndef HEED_NONFINITE
#define HEED_NONFINITE
#include "nvidia/mma.h"

// Whether `mine` is true for any work-item of the group. `flag` must be 0 before the call; if the result is true, `flag` is 0
// again after the next barrier.
INLINE bool any_item(Warp w, bool mine, local int* flag) {
  if (mine) {
    atomic_or(flag, 1);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const bool any = *flag != 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (any && w.item == 0) {
    *flag = 0;
  }
  return any;
}

// AS_MMA: the bits of an element as an mma reads it. Rounding to tf32 makes the largest elements infinite.
#if STORAGE == 32
#define AS_MMA(bits) tf32(bits)
#else
#define AS_MMA(bits) (bits)
#endif

INLINE bool is_nonfinite(stored bits) { return (AS_MMA(bits) & EXPONENT_BITS) == EXPONENT_BITS; }

// A non-finite element times any positive weight: infinity of either sign, or NaN.
INLINE float weighted_nonfinite(stored bits) {
  return AS_MMA(bits) == EXPONENT_BITS ? INFINITY : AS_MMA(bits) == (EXPONENT_BITS | SIGN_BIT) ? -INFINITY : NAN;
}

#endif
