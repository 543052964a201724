// Decode on a CPU device: attention of few queries, limited by memory bandwidth. Every key is read once, for all query rows
// that share it. A work-item reads one split of the keys of one key/value head and writes a partial attention state of each
// row: row maximum, row sum, weighted values. merge.cl merges the states of the splits.
//
//   sums    [split][batch][head][query][valueHeadDim]
//   states  [split][batch][head][query][2]               row maximum and row sum
//   packed  [work-item][query row][headDim]              scratch: the query rows as reals
//
// Work-items: splits of splitKeys keys, then batch entries, then key/value heads (innermost). -D options: ROWS, LANES, and
// the options of score.h.
#include "score.h"

#ifndef ROWS // at least the number of query rows that share a key, (heads / kvHeads) * queries
#define ROWS 16
#endif
#define TILE_KEYS 64 // keys of a tile, whose scores are computed together

typedef STORED(STORAGE) element;

// The sum of the lanes of a vector: adds its upper half to its lower half until one lane is left.
inline real sum_lanes(vec x) {
  real* lanes = (real*)&x;
  for (int n = LANES / 2; n > 0; n /= 2) {
    for (int m = 0; m < n; m++) {
      lanes[m] += lanes[m + n];
    }
  }
  return lanes[0];
}

// The scores of one query and four keys, whose rows begin at k0 ... k3, before the scale.
inline void four_scores(global const element* key, long k0, long k1, long k2, long k3, global const real* query,
                        int headDim, global const real* scoreParams, real to[4]) {
  vec s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  int d = 0;
  for (; d + LANES <= headDim; d += LANES) {
    const vec q = VLOAD(0, query + d);
#if PER_ELEMENT
    const vec v = VLOAD(0, scoreParams + d);
#endif
    s0 = ADD_TERM(s0, q, LOADV(STORAGE, key, k0 + d), v);
    s1 = ADD_TERM(s1, q, LOADV(STORAGE, key, k1 + d), v);
    s2 = ADD_TERM(s2, q, LOADV(STORAGE, key, k2 + d), v);
    s3 = ADD_TERM(s3, q, LOADV(STORAGE, key, k3 + d), v);
  }
  real x0 = sum_lanes(s0), x1 = sum_lanes(s1), x2 = sum_lanes(s2), x3 = sum_lanes(s3);
  for (; d < headDim; d++) {
    x0 = ADD_TERM(x0, query[d], LOAD(STORAGE, key, k0 + d), scoreParams[d]);
    x1 = ADD_TERM(x1, query[d], LOAD(STORAGE, key, k1 + d), scoreParams[d]);
    x2 = ADD_TERM(x2, query[d], LOAD(STORAGE, key, k2 + d), scoreParams[d]);
    x3 = ADD_TERM(x3, query[d], LOAD(STORAGE, key, k3 + d), scoreParams[d]);
  }
  const real factor = score_factor(scoreParams);
  to[0] = x0 * factor;
  to[1] = x1 * factor;
  to[2] = x2 * factor;
  to[3] = x3 * factor;
}

// sums[d] += sum over the keys of a tile of weight times element d of the value. A value of weight 0 adds nothing.
inline void pool(global const element* value, long offset, long rowStride, const real* weights, int keys,
                 int valueHeadDim, global real* sums) {
  int d = 0;
  for (; d + 2 * LANES <= valueHeadDim; d += 2 * LANES) {
    vec s0 = VLOAD(0, sums + d), s1 = VLOAD(1, sums + d);
    for (int n = 0; n < keys; n++) {
      if (weights[n] != 0) {
        s0 = fma((vec)weights[n], LOADV(STORAGE, value, offset + n * rowStride + d), s0);
        s1 = fma((vec)weights[n], LOADV(STORAGE, value, offset + n * rowStride + d + LANES), s1);
      }
    }
    PASTE(vstore, LANES)(s0, 0, sums + d);
    PASTE(vstore, LANES)(s1, 1, sums + d);
  }
  for (; d < valueHeadDim; d++) {
    real s = sums[d];
    for (int n = 0; n < keys; n++) {
      s = weights[n] != 0 ? fma(weights[n], LOAD(STORAGE, value, offset + n * rowStride + d), s) : s;
    }
    sums[d] = s;
  }
}

kernel void decode_lanes(const Call c, const long splitKeys, global const element* query, global const element* key,
                         global const element* value, global real* packed, global real* sums, global real* states,
                         global const Band* bands, global const uchar* mask, global const real* bias,
                         global const real* slopes, global const real* scoreParams) {
  const long task = get_global_id(0), kvHeads = c.batches * c.kvHeads;
  const long split = task / kvHeads, bk = task % kvHeads, b = bk / c.kvHeads, kh = bk % c.kvHeads;
  const int group = (int)(c.heads / c.kvHeads), queries = (int)c.queries, rows = group * queries;
  const int headDim = (int)c.headDim, valueHeadDim = (int)c.valueHeadDim;
  const Band band = bands[b];
  global real* ownQueries = packed + task * rows * headDim;
  real rowMax[ROWS], rowSum[ROWS], scores[ROWS][TILE_KEYS];
  for (int r = 0; r < rows; r++) {
    const long h = kh * group + r / queries, i = r % queries;
    for (int d = 0; d < headDim; d++) {
      ownQueries[r * headDim + d] =
          LOAD(STORAGE, query,
               c.query.offset + b * c.query.batchStride + h * c.query.headStride + i * c.query.rowStride + d);
    }
    global real* to = sums + ((split * c.batches + b) * c.heads * queries + h * queries + i) * valueHeadDim;
    for (int d = 0; d < valueHeadDim; d++) {
      to[d] = 0;
    }
    rowMax[r] = EMPTY_MAX;
    rowSum[r] = 0;
  }
  const int keyEnd = (int)(c.keyFrom + min(c.keys, (split + 1) * splitKeys));
  for (int j = (int)(c.keyFrom + split * splitKeys); j < keyEnd; j += TILE_KEYS) {
    const int keys = min(TILE_KEYS, keyEnd - j), i0 = (int)c.queryFrom;
    const int covered = cover_of_rows(&c, band, mask, b, kh * group, group, i0, i0 + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long keyOffset =
        c.key.offset + b * c.key.batchStride + kh * c.key.headStride + (j - c.keyFrom) * c.key.rowStride;
    const long valueOffset =
        c.value.offset + b * c.value.batchStride + kh * c.value.headStride + (j - c.keyFrom) * c.value.rowStride;
    for (int n = 0; n < keys; n += 4) {
      for (int r = 0; r < rows; r++) {
        real x[4];
        four_scores(key, keyOffset + n * c.key.rowStride, keyOffset + min(n + 1, keys - 1) * c.key.rowStride,
                    keyOffset + min(n + 2, keys - 1) * c.key.rowStride,
                    keyOffset + min(n + 3, keys - 1) * c.key.rowStride, ownQueries + r * headDim, headDim,
                    scoreParams + (kh * group + r / queries) * c.scoreParamsStride, x);
        for (int m = 0; m < 4; m++) {
          scores[r][n + m] = x[m];
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      const long h = kh * group + r / queries;
      const int i = i0 + r % queries;
      const real slope = c.hasSlopes ? slopes[h] : 0;
      for (int n = 0; (MODIFIED || covered == 1) && n < keys; n++) {
        const real s = modified(&c, scores[r][n], bias, slope, b, h, i, j + n);
        scores[r][n] = covered == 2 || is_attended(&c, band, mask, b, h, i, j + n) ? s : (real)-INFINITY;
      }
      for (int n = keys; n < TILE_KEYS; n++) {
        scores[r][n] = -INFINITY;
      }
      real newMax = rowMax[r];
      for (int n = 0; n < keys; n++) {
        newMax = scores[r][n] > newMax ? scores[r][n] : newMax;
      }
      const real rescale = accurate_exp2((rowMax[r] - newMax) * c.factor);
      vec tileSum = 0;
      for (int n = 0; n < TILE_KEYS; n += LANES) {
        const vec p = accurate_exp2((VLOAD(0, &scores[r][n]) - newMax) * c.factor);
        tileSum += p;
        PASTE(vstore, LANES)(p, 0, &scores[r][n]);
      }
      rowSum[r] = rowSum[r] * rescale + sum_lanes(tileSum);
      rowMax[r] = newMax;
      for (int n = 0; c.dropoutThreshold > 0 && n < keys; n++) {
        scores[r][n] *= dropout_factor(&c, b, h, i, j + n);
      }
      global real* to = sums + ((split * c.batches + b) * c.heads * queries + h * queries + r % queries) * valueHeadDim;
      if (rescale != 1) {
        for (int d = 0; d < valueHeadDim; d++) {
          to[d] *= rescale;
        }
      }
      pool(value, valueOffset, c.value.rowStride, scores[r], keys, valueHeadDim, to);
    }
  }
  for (int r = 0; r < rows; r++) {
    global real* to =
        states + ((split * c.batches + b) * c.heads * queries + (kh * group + r / queries) * queries + r % queries) * 2;
    to[0] = rowMax[r];
    to[1] = rowSum[r];
  }
}
