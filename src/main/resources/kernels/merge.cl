// Merges the partial attention states of the splits of the keys (decode_*.cl), in the order of the splits, into the rows of
// the output.
#include "score.h"

typedef STORED(STORAGE) element;

// Inputs: `sums` [split][batch][head][query][valueHeadDim], weighted values; `states` [split][batch][head][query][2], row
// maximum and row sum; c.rows is the number of splits. Outputs: `output`; `state` [batch][head][query][2], row maximum and
// inverse row sum; `lse` [3][batch][head][query], LSE, row maximum and row sum. One work-item per element of the output; the
// work-item of the first element of a row also writes `state` and `lse`.
kernel void merge(const Call c, global const real* sums, global const real* states, global element* output,
                  global real* state, global real* lse, global const real* sinks) {
  const long n = get_global_id(0);
  const long rows = c.batches * c.heads * c.queries, row = n / c.valueHeadDim, d = n % c.valueHeadDim;
  if (row >= rows) {
    return;
  }
  const long bh = row / c.queries, b = bh / c.heads, h = bh % c.heads, i = row % c.queries;
  real rowMax = EMPTY_MAX, rowSum = 0, x = 0;
  for (long split = 0; split < c.rows; split++) {
    const real splitMax = states[2 * (split * rows + row)];
    rowMax = splitMax > rowMax ? splitMax : rowMax;
  }
  for (long split = 0; split < c.rows; split++) {
    const real splitSum = states[2 * (split * rows + row) + 1];
    if (splitSum != 0) {
      const real rescale = accurate_exp2((states[2 * (split * rows + row)] - rowMax) * c.factor);
      rowSum = fma(splitSum, rescale, rowSum);
      x = fma(sums[(split * rows + row) * c.valueHeadDim + d], rescale, x);
    }
  }
  const RowStats ended = finish_row(&c, rowMax, rowSum, c.hasSink ? sinks[h] : 0);
  STORE(STORAGE, ended.inverse == 0 ? (real)0 : x * ended.inverse, output,
        c.output.offset + b * c.output.batchStride + h * c.output.headStride + i * c.output.rowStride + d);
  if (d == 0) {
    state[2 * row] = rowMax;
    state[2 * row + 1] = ended.inverse;
    store_statistics(&c, ended, row, lse);
  }
}
