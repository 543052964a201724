// Attention of few queries on a GPU: a work-group reads one part of the keys of one key head, each key once for all query
// rows that share it, and leaves a state for each row: max, sum, weighted values. A key is an item's; a column too.
#include "score.h"

#ifndef ROWS // at least (heads / keyHeads) * queries
#define ROWS 8
#endif
#ifndef ITEMS // keys of a tile; a power of two
#define ITEMS 64
#endif
#ifndef COLUMNS // columns of the values an item owns: ITEMS * COLUMNS is at least the value width
#define COLUMNS 2
#endif
#define DEPTH 16

typedef STORED(STORAGE) element;

// Groups: parts of `partKeys` keys, each for all key heads. `states`: max and sum of [part][batch][head][query];
// `sums` [part][batch][head][query][valueWidth].
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void decode_tiles(
    const Call c, const long partKeys, global const element* query, global const element* key,
    global const element* value, global real* sums, global real* states, global const Band* bands,
    global const uchar* dense, global const real* bias, global const real* slopes, global const real* meeting) {
  local real slice[ITEMS * (DEPTH + 1)], queries_[ROWS * DEPTH], weights[ROWS * ITEMS], seen[ROWS * ITEMS];
#if PER_NUMBER
  local real vectors[ROWS * DEPTH];
#endif
  const int item = (int)get_local_id(0);
  const long keyHeads = c.batches * c.keyHeads;
  const long part = get_group_id(0) / keyHeads, bk = get_group_id(0) % keyHeads, b = bk / c.keyHeads,
             kh = bk % c.keyHeads;
  const int group = (int)(c.heads / c.keyHeads), queries = (int)c.queries, rows = group * queries;
  const int width = (int)c.width, valueWidth = (int)c.valueWidth, i0 = (int)c.queryFrom;
  const Band band = bands[b];
  real most[ROWS], share[ROWS], out[ROWS][COLUMNS];
  UNROLL
  for (int r = 0; r < ROWS; r++) {
    most[r] = NOTHING;
    share[r] = 0;
    UNROLL
    for (int o = 0; o < COLUMNS; o++) {
      out[r][o] = 0;
    }
  }
  const int keyEnd = (int)(c.keyFrom + min(c.keys, (part + 1) * partKeys));
  for (int j = (int)(c.keyFrom + part * partKeys); j < keyEnd; j += ITEMS) {
    const int keys = min(ITEMS, keyEnd - j);
    const int covered = cover(&c, band, 0, b, 0, i0, i0 + queries, j, j + keys);
    if (covered == 0) {
      continue; // the whole group does
    }
    const long at = c.key.at + b * c.key.batch + kh * c.key.head + (j - c.keyFrom) * c.key.row;
    const long valueAt = c.value.at + b * c.value.batch + kh * c.value.head + (j - c.keyFrom) * c.value.row;
    real s[ROWS];
    UNROLL
    for (int r = 0; r < ROWS; r++) {
      s[r] = 0;
    }
    for (int d0 = 0; d0 < width; d0 += DEPTH) {
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int x = item; x < ITEMS * DEPTH; x += ITEMS) {
        const int n = x / DEPTH, d = x % DEPTH;
        slice[n * (DEPTH + 1) + d] = n < keys && d0 + d < width ? LOAD(STORAGE, key, at + n * c.key.row + d0 + d) : 0;
      }
      for (int x = item; x < ROWS * DEPTH; x += ITEMS) {
        const int r = x / DEPTH, d = x % DEPTH;
        real q = 0;
        if (r < rows && d0 + d < width) {
          q = LOAD(STORAGE, query, c.query.at + b * c.query.batch + (kh * group + r / queries) * c.query.head
                                       + (r % queries) * c.query.row + d0 + d);
        }
        queries_[x] = q;
#if PER_NUMBER
        vectors[x] = r < rows && d0 + d < width ? meeting[(kh * group + r / queries) * c.meetingHead + d0 + d] : 0;
#endif
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int d = 0; d < DEPTH; d++) {
        const real k = slice[item * (DEPTH + 1) + d];
        UNROLL
        for (int r = 0; r < ROWS; r++) {
          s[r] = MEET(s[r], queries_[r * DEPTH + d], k, vectors[r * DEPTH + d]);
        }
      }
    }
    UNROLL
    for (int r = 0; r < ROWS; r++) {
#if MEETING == SQUARES
      s[r] *= r < rows ? met_factor(meeting + (kh * group + r / queries) * c.meetingHead) : (real)1;
#endif
      if (r >= rows || item >= keys) {
        s[r] = -INFINITY;
      } else if (MODIFIED || covered == 1) {
        const long h = kh * group + r / queries;
        const int i = i0 + r % queries;
        s[r] = modified(&c, s[r], bias, c.hasSlopes ? slopes[h] : 0, b, h, i, j + item);
        s[r] = covered == 2 || takes_part(&c, band, dense, b, h, i, j + item) ? s[r] : (real)-INFINITY;
      }
      seen[r * ITEMS + item] = s[r] == s[r] ? s[r] : -INFINITY; // a NaN spoils its own sum alone
    }
    for (int apart = ITEMS / 2; apart > 0; apart /= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL
      for (int r = 0; item < apart && r < ROWS; r++) {
        seen[r * ITEMS + item] = fmax(seen[r * ITEMS + item], seen[r * ITEMS + item + apart]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; r < ROWS; r++) {
      const real larger = fmax(most[r], seen[r * ITEMS]);
      const real shrink = power((most[r] - larger) * c.factor);
      real p = power((s[r] - larger) * c.factor);
      most[r] = larger;
      share[r] = share[r] * shrink + p;
      UNROLL
      for (int o = 0; o < COLUMNS; o++) {
        out[r][o] *= shrink;
      }
      if (c.dropped > 0 && r < rows) {
        p *= survival(&c, b, kh * group + r / queries, i0 + r % queries, j + item);
      }
      weights[r * ITEMS + item] = p;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = 0; n < keys; n++) {
      UNROLL
      for (int o = 0; o < COLUMNS; o++) {
        const int column = item + ITEMS * o;
        const real v = column < valueWidth ? LOAD(STORAGE, value, valueAt + n * c.value.row + column) : 0;
        UNROLL
        for (int r = 0; r < ROWS; r++) {
          const real p = weights[r * ITEMS + n];
          out[r][o] = p == 0 ? out[r][o] : fma(p, v, out[r][o]); // a hidden value may be NaN
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int r = 0; r < ROWS; r++) {
    seen[r * ITEMS + item] = share[r];
  }
  for (int apart = ITEMS / 2; apart > 0; apart /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; item < apart && r < ROWS; r++) {
      seen[r * ITEMS + item] += seen[r * ITEMS + item + apart];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int r = 0; r < rows; r++) {
    const long row = (part * c.batches + b) * c.heads * queries + (kh * group + r / queries) * queries + r % queries;
    if (item == 0) {
      states[2 * row] = most[r];
      states[2 * row + 1] = seen[r * ITEMS];
    }
    UNROLL
    for (int o = 0; o < COLUMNS; o++) {
      const int column = item + ITEMS * o;
      if (column < valueWidth) {
        sums[row * valueWidth + column] = out[r][o];
      }
    }
  }
}
