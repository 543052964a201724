// Numbers that are infinite or NaN: a weight of zero hides its value whatever it is, and a matrix unit does not know that. So
// kernels look for such values, add them by hand where they weigh anything, and leave zeros in the tile.
#ifndef HEED_NONFINITE
#define HEED_NONFINITE
#include "nvidia/mma.h"

// Whether any item of the group says so; `flag` is 0 before and after.
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

#if STORAGE == 32
#define AS_MMA(bits) tf32(bits) // the largest numbers round to infinity
#else
#define AS_MMA(bits) (bits)
#endif

INLINE bool is_nonfinite(stored bits) { return (AS_MMA(bits) & EXPONENT_BITS) == EXPONENT_BITS; }

// What any positive weight makes of it.
INLINE float weighted_nonfinite(stored bits) {
  return AS_MMA(bits) == EXPONENT_BITS ? INFINITY : AS_MMA(bits) == (EXPONENT_BITS | SIGN_BIT) ? -INFINITY : NAN;
}

#endif
