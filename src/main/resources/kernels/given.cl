// The statistics of the rows for the backward pass, from a forward result of more keys than the inputs have: row maximum m, row
// sum l and output.
#include "score.h"

#if REAL_F64
#define LARGEST (DBL_MAX / 2)
#else
#define LARGEST (FLT_MAX / 2)
#endif

// As in backward.cl.
typedef struct {
  real rowMax, inverse, delta, dLse;
} Statistics;

// One work-item per row. `output` and `dOut` [batch][head][query][valueHeadDim]; `rowMax`, `rowSum` and `dLse`
// [batch][head][query]; c.stage is 1 if there is a dLse. delta is the sum of dO * O in the order of the elements, like dP, so
// dP - delta is 0 if one key has all the weight. An element of O that is exactly 0, as in a row without attended keys, adds
// nothing.
kernel void given_statistics(const Call c, global const real* output, global const real* dOut, global const real* rowMax,
                             global const real* rowSum, global const real* dLse, global Statistics* to,
                             global real* dSinkRows, global const real* sinks) {
  const long n = get_global_id(0);
  if (n >= c.batches * c.heads * c.queries) {
    return;
  }
  const real m = rowMax[n], l = rowSum[n];
  const real sink = c.hasSink ? sinks[n / c.queries % c.heads] : -INFINITY;
  const real sinkWeight = sink == -INFINITY || l == 0 ? 0 : exp(sink - m) / l;
  Statistics s;
  s.rowMax = l == 0 ? EMPTY_MAX : clamp(m / c.unit, (real)-LARGEST, (real)LARGEST); // a unit may be tiny
  s.inverse = l == 0 ? 0 : exp(fma(s.rowMax, c.unit, -m)) / l;
  s.delta = 0;
  real lost = 0; // the rounding errors of delta (Ogita, Rump and Oishi 2005, Dot2): the sink sums the deltas of all rows
  for (long d = 0; d < c.valueHeadDim && l != 0; d++) {
    const real o = output[n * c.valueHeadDim + d];
    if (o != 0) {
      const real dO = dOut[n * c.valueHeadDim + d], product = dO * o, sum = s.delta + product, added = sum - s.delta;
      lost += s.delta - (sum - added) + (product - added) + fma(dO, o, -product);
      s.delta = fma(dO, o, s.delta);
      lost += sum - s.delta;
    }
  }
  s.dLse = c.stage != 0 ? dLse[n] : 0;
  to[n] = s;
  if (c.hasSink) {
    dSinkRows[n] = sinkWeight * (s.dLse - (fabs(lost) < INFINITY ? s.delta + lost : s.delta));
  }
}
