// The states that the parts of the keys left, merged in their order into rows.
#include "score.h"

typedef STORED(STORAGE) element;

// One work-item an element of the output; the first of a row writes its statistics. c.rows is the number of parts.
kernel void merge(const Call c, global const real* sums, global const real* states, global element* output,
                  global real* state, global real* lse, global const real* sinks) {
  const long n = get_global_id(0);
  const long rows = c.batches * c.heads * c.queries, row = n / c.valueWidth, d = n % c.valueWidth;
  if (row >= rows) {
    return;
  }
  const long bh = row / c.queries, b = bh / c.heads, h = bh % c.heads, i = row % c.queries;
  real most = NOTHING, total = 0, x = 0;
  for (long part = 0; part < c.rows; part++) {
    const real other = states[2 * (part * rows + row)];
    most = other > most ? other : most;
  }
  for (long part = 0; part < c.rows; part++) {
    const real there = states[2 * (part * rows + row) + 1];
    if (there != 0) {
      const real share = power((states[2 * (part * rows + row)] - most) * c.factor);
      total = fma(there, share, total);
      x = fma(sums[(part * rows + row) * c.valueWidth + d], share, x);
    }
  }
  const Row ended = finished(&c, most, total, c.hasSink ? sinks[h] : 0);
  STORE(STORAGE, ended.inverse == 0 ? (real)0 : x * ended.inverse, output,
        c.output.at + b * c.output.batch + h * c.output.head + i * c.output.row + d);
  if (d == 0) {
    state[2 * row] = most;
    state[2 * row + 1] = ended.inverse;
    lse[row] = ended.lse;
  }
}
