// Decode on a GPU: attention of few queries, limited by memory bandwidth. Every key is read once, for all query rows that
// share it. A work-group reads one split of the keys of one key/value head and writes a partial attention state of each
// row: row maximum, row sum, weighted values. merge.cl merges the states of the splits. A work-item computes the scores of
// all rows for one key of a tile, and the weighted values of CO columns, which are ITEMS apart.
//
//   sums    [split][batch][head][query][valueHeadDim]
//   states  [split][batch][head][query][2]               row maximum and row sum
//
// A work-group has ITEMS work-items. The work-groups are ordered by split (of splitKeys keys), then by batch entry, then by
// key/value head (innermost). -D options: ROWS, ITEMS, CO, and the options of score.h.
#include "score.h"

#ifndef ROWS // at least the number of query rows that share a key, (heads / kvHeads) * queries
#define ROWS 8
#endif
#ifndef ITEMS // work-items of a group and keys of a tile; a power of two
#define ITEMS 64
#endif
#ifndef CO // columns of the values that a work-item owns; ITEMS * CO must be at least valueHeadDim
#define CO 2
#endif
#define DEPTH 16 // elements of a row in a slice

typedef STORED(STORAGE) element;

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void decode_tiles(
    const Call c, const long splitKeys, global const element* query, global const element* key,
    global const element* value, global real* sums, global real* states, global const Band* bands,
    global const uchar* mask, global const real* bias, global const real* slopes, global const real* scoreParams) {
  local real keySlice[ITEMS * (DEPTH + 1)], querySlice[ROWS * DEPTH], weights[ROWS * ITEMS], scratch[ROWS * ITEMS];
#if PER_ELEMENT
  local real paramSlice[ROWS * DEPTH];
#endif
  const int item = (int)get_local_id(0);
  const long kvHeads = c.batches * c.kvHeads;
  const long split = get_group_id(0) / kvHeads, bk = get_group_id(0) % kvHeads, b = bk / c.kvHeads, kh = bk % c.kvHeads;
  const int group = (int)(c.heads / c.kvHeads), queries = (int)c.queries, rows = group * queries;
  const int headDim = (int)c.headDim, valueHeadDim = (int)c.valueHeadDim, i0 = (int)c.queryFrom;
  const Band band = bands[b];
  real rowMax[ROWS], itemSum[ROWS], out[ROWS][CO];
  UNROLL
  for (int r = 0; r < ROWS; r++) {
    rowMax[r] = EMPTY_MAX;
    itemSum[r] = 0;
    UNROLL
    for (int o = 0; o < CO; o++) {
      out[r][o] = 0;
    }
  }
  const int keyEnd = (int)(c.keyFrom + min(c.keys, (split + 1) * splitKeys));
  for (int j = (int)(c.keyFrom + split * splitKeys); j < keyEnd; j += ITEMS) {
    const int keys = min(ITEMS, keyEnd - j);
    const int covered = cover_of_rows(&c, band, mask, b, kh * group, group, i0, i0 + queries, j, j + keys);
    if (covered == 0) {
      continue; // covered is equal for all work-items of the group
    }
    const long keyOffset =
        c.key.offset + b * c.key.batchStride + kh * c.key.headStride + (j - c.keyFrom) * c.key.rowStride;
    const long valueOffset =
        c.value.offset + b * c.value.batchStride + kh * c.value.headStride + (j - c.keyFrom) * c.value.rowStride;
    real s[ROWS];
    UNROLL
    for (int r = 0; r < ROWS; r++) {
      s[r] = 0;
    }
    for (int d0 = 0; d0 < headDim; d0 += DEPTH) {
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int x = item; x < ITEMS * DEPTH; x += ITEMS) {
        const int n = x / DEPTH, d = x % DEPTH;
        keySlice[n * (DEPTH + 1) + d] =
            n < keys && d0 + d < headDim ? LOAD(STORAGE, key, keyOffset + n * c.key.rowStride + d0 + d) : 0;
      }
      for (int x = item; x < ROWS * DEPTH; x += ITEMS) {
        const int r = x / DEPTH, d = x % DEPTH;
        real q = 0;
        if (r < rows && d0 + d < headDim) {
          q = LOAD(STORAGE, query,
                   c.query.offset + b * c.query.batchStride + (kh * group + r / queries) * c.query.headStride
                       + (r % queries) * c.query.rowStride + d0 + d);
        }
        querySlice[x] = q;
#if PER_ELEMENT
        paramSlice[x] =
            r < rows && d0 + d < headDim ? scoreParams[(kh * group + r / queries) * c.scoreParamsStride + d0 + d] : 0;
#endif
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int d = 0; d < DEPTH; d++) {
        const real k = keySlice[item * (DEPTH + 1) + d];
        UNROLL
        for (int r = 0; r < ROWS; r++) {
          s[r] = ADD_TERM(s[r], querySlice[r * DEPTH + d], k, paramSlice[r * DEPTH + d]);
        }
      }
    }
    UNROLL
    for (int r = 0; r < ROWS; r++) {
#if SCORE_OP == SQUARED_DISTANCE
      s[r] *= r < rows ? score_factor(scoreParams + (kh * group + r / queries) * c.scoreParamsStride) : (real)1;
#endif
      if (r >= rows || item >= keys) {
        s[r] = -INFINITY;
      } else if (MODIFIED || covered == 1) {
        const long h = kh * group + r / queries;
        const int i = i0 + r % queries;
        s[r] = modified(&c, s[r], bias, c.hasSlopes ? slopes[h] : 0, b, h, i, j + item);
        s[r] = covered == 2 || is_attended(&c, band, mask, b, h, i, j + item) ? s[r] : (real)-INFINITY;
      }
      scratch[r * ITEMS + item] = s[r] == s[r] ? s[r] : -INFINITY; // the maximum ignores NaN; the row's sums become NaN
    }
    for (int distance = ITEMS / 2; distance > 0; distance /= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL
      for (int r = 0; item < distance && r < ROWS; r++) {
        scratch[r * ITEMS + item] = fmax(scratch[r * ITEMS + item], scratch[r * ITEMS + item + distance]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; r < ROWS; r++) {
      const real newMax = fmax(rowMax[r], scratch[r * ITEMS]);
      const real rescale = accurate_exp2((rowMax[r] - newMax) * c.factor);
      real p = accurate_exp2((s[r] - newMax) * c.factor);
      rowMax[r] = newMax;
      itemSum[r] = itemSum[r] * rescale + p;
      UNROLL
      for (int o = 0; o < CO; o++) {
        out[r][o] *= rescale;
      }
      if (c.dropoutThreshold > 0 && r < rows) {
        p *= dropout_factor(&c, b, kh * group + r / queries, i0 + r % queries, j + item);
      }
      weights[r * ITEMS + item] = p;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = 0; n < keys; n++) {
      UNROLL
      for (int o = 0; o < CO; o++) {
        const int column = item + ITEMS * o;
        const real v = column < valueHeadDim ? LOAD(STORAGE, value, valueOffset + n * c.value.rowStride + column) : 0;
        UNROLL
        for (int r = 0; r < ROWS; r++) {
          const real p = weights[r * ITEMS + n];
          out[r][o] = p == 0 ? out[r][o] : fma(p, v, out[r][o]); // a masked value may be NaN
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int r = 0; r < ROWS; r++) {
    scratch[r * ITEMS + item] = itemSum[r];
  }
  for (int distance = ITEMS / 2; distance > 0; distance /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; item < distance && r < ROWS; r++) {
      scratch[r * ITEMS + item] += scratch[r * ITEMS + item + distance];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int r = 0; r < rows; r++) {
    const long row = (split * c.batches + b) * c.heads * queries + (kh * group + r / queries) * queries + r % queries;
    if (item == 0) {
      states[2 * row] = rowMax[r];
      states[2 * row + 1] = scratch[r * ITEMS];
    }
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = item + ITEMS * o;
      if (column < valueHeadDim) {
        sums[row * valueHeadDim + column] = out[r][o];
      }
    }
  }
}
