/* A set of kernels, one for each function, and what decides between sets. Nothing of it is seen outside the library. */
#ifndef HEED_KERNELS_H
#define HEED_KERNELS_H

#include "heed.h"

struct kernels {
#define HEED_FIELD(result, name, parameters) result(*name) parameters;
    HEED_FUNCTIONS(HEED_FIELD)
#undef HEED_FIELD
};

/* The levels whose instructions the processor and the system offer, HEED_AVX512 and so on. */
int64_t heed_processor(void);

/* Whether every kernel of a set computes what the portable ones do, on a small problem with edges; sums are exact in it. */
int heed_agree(const struct kernels *set, const struct kernels *portable);

#endif
