/* The type of a set of kernels, one kernel per function, and the functions used to choose a set. Internal to the library. */
#ifndef HEED_KERNELS_H
#define HEED_KERNELS_H

#include "heed.h"

struct kernels {
#define HEED_FIELD(result, name, parameters) result(*name) parameters;
    HEED_FUNCTIONS(HEED_FIELD)
#undef HEED_FIELD
};

/* Returns the levels (HEED_AVX512 and so on) whose instructions the processor and the operating system support. */
int64_t heed_processor(void);

/* Returns whether every kernel of a set gives the same bits as the portable version, on a small problem whose sums are exact and
 * whose sizes leave a remainder in the kernels' blocks. */
int heed_agree(const struct kernels *set, const struct kernels *portable);

#endif
