// Attention of few queries on a CPU device: memory is the limit, so every key is read once for all query rows that share
// it. A work-item reads one part of the keys of one key head and leaves a state for each row: max, sum, weighted values.
#include "score.h"

#ifndef ROWS // at least (heads / keyHeads) * queries
#define ROWS 16
#endif
#define TILE 64

typedef STORED(STORAGE) element;

inline real across(vec x) {
  real* lanes = (real*)&x;
  for (int n = LANES / 2; n > 0; n /= 2) {
    for (int m = 0; m < n; m++) {
      lanes[m] += lanes[m + n];
    }
  }
  return lanes[0];
}

// The scores of four keys with one query, before the scale.
inline void four(global const element* key, long k0, long k1, long k2, long k3, global const real* query, int width,
                 global const real* meeting, real to[4]) {
  vec s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  int d = 0;
  for (; d + LANES <= width; d += LANES) {
    const vec q = VLOAD(0, query + d);
#if PER_NUMBER
    const vec v = VLOAD(0, meeting + d);
#endif
    s0 = MEET(s0, q, LOADV(STORAGE, key, k0 + d), v);
    s1 = MEET(s1, q, LOADV(STORAGE, key, k1 + d), v);
    s2 = MEET(s2, q, LOADV(STORAGE, key, k2 + d), v);
    s3 = MEET(s3, q, LOADV(STORAGE, key, k3 + d), v);
  }
  real x0 = across(s0), x1 = across(s1), x2 = across(s2), x3 = across(s3);
  for (; d < width; d++) {
    x0 = MEET(x0, query[d], LOAD(STORAGE, key, k0 + d), meeting[d]);
    x1 = MEET(x1, query[d], LOAD(STORAGE, key, k1 + d), meeting[d]);
    x2 = MEET(x2, query[d], LOAD(STORAGE, key, k2 + d), meeting[d]);
    x3 = MEET(x3, query[d], LOAD(STORAGE, key, k3 + d), meeting[d]);
  }
  const real factor = met_factor(meeting);
  to[0] = x0 * factor;
  to[1] = x1 * factor;
  to[2] = x2 * factor;
  to[3] = x3 * factor;
}

// sums[d] += weights of a tile times its values; a value that weighs nothing is not read.
inline void pool(global const element* value, long at, long row, const real* weights, int keys, int width,
                 global real* sums) {
  int d = 0;
  for (; d + 2 * LANES <= width; d += 2 * LANES) {
    vec s0 = VLOAD(0, sums + d), s1 = VLOAD(1, sums + d);
    for (int n = 0; n < keys; n++) {
      if (weights[n] != 0) {
        s0 = fma((vec)weights[n], LOADV(STORAGE, value, at + n * row + d), s0);
        s1 = fma((vec)weights[n], LOADV(STORAGE, value, at + n * row + d + LANES), s1);
      }
    }
    PASTE(vstore, LANES)(s0, 0, sums + d);
    PASTE(vstore, LANES)(s1, 1, sums + d);
  }
  for (; d < width; d++) {
    real s = sums[d];
    for (int n = 0; n < keys; n++) {
      s = weights[n] != 0 ? fma(weights[n], LOAD(STORAGE, value, at + n * row + d), s) : s;
    }
    sums[d] = s;
  }
}

// One work-item a part of `partKeys` keys and key head. `states`: max and sum of [part][batch][head][query];
// `sums` [part][batch][head][query][valueWidth]; `packed`: ROWS * width reals for each work-item.
kernel void decode_lanes(const Call c, const long partKeys, global const element* query, global const element* key,
                         global const element* value, global real* packed, global real* sums, global real* states,
                         global const Band* bands, global const uchar* dense, global const real* bias,
                         global const real* slopes, global const real* meeting) {
  const long task = get_global_id(0), keyHeads = c.batches * c.keyHeads;
  const long part = task / keyHeads, bk = task % keyHeads, b = bk / c.keyHeads, kh = bk % c.keyHeads;
  const int group = (int)(c.heads / c.keyHeads), queries = (int)c.queries, rows = group * queries;
  const int width = (int)c.width, valueWidth = (int)c.valueWidth;
  const Band band = bands[b];
  global real* mine = packed + task * rows * width;
  real most[ROWS], sum[ROWS], cells[ROWS][TILE];
  for (int r = 0; r < rows; r++) {
    const long h = kh * group + r / queries, i = r % queries;
    for (int d = 0; d < width; d++) {
      mine[r * width + d] = LOAD(STORAGE, query, c.query.at + b * c.query.batch + h * c.query.head + i * c.query.row + d);
    }
    global real* to = sums + ((part * c.batches + b) * c.heads * queries + h * queries + i) * valueWidth;
    for (int d = 0; d < valueWidth; d++) {
      to[d] = 0;
    }
    most[r] = NOTHING;
    sum[r] = 0;
  }
  const int keyEnd = (int)(c.keyFrom + min(c.keys, (part + 1) * partKeys));
  for (int j = (int)(c.keyFrom + part * partKeys); j < keyEnd; j += TILE) {
    const int keys = min(TILE, keyEnd - j), i0 = (int)c.queryFrom;
    const int covered = cover(&c, band, 0, b, 0, i0, i0 + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long at = c.key.at + b * c.key.batch + kh * c.key.head + (j - c.keyFrom) * c.key.row;
    const long valueAt = c.value.at + b * c.value.batch + kh * c.value.head + (j - c.keyFrom) * c.value.row;
    for (int n = 0; n < keys; n += 4) {
      for (int r = 0; r < rows; r++) {
        real x[4];
        four(key, at + n * c.key.row, at + min(n + 1, keys - 1) * c.key.row, at + min(n + 2, keys - 1) * c.key.row,
             at + min(n + 3, keys - 1) * c.key.row, mine + r * width, width,
             meeting + (kh * group + r / queries) * c.meetingHead, x);
        for (int m = 0; m < 4; m++) {
          cells[r][n + m] = x[m];
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      const long h = kh * group + r / queries;
      const int i = i0 + r % queries;
      const real slope = c.hasSlopes ? slopes[h] : 0;
      for (int n = 0; (MODIFIED || covered == 1) && n < keys; n++) {
        const real s = modified(&c, cells[r][n], bias, slope, b, h, i, j + n);
        cells[r][n] = covered == 2 || takes_part(&c, band, dense, b, h, i, j + n) ? s : (real)-INFINITY;
      }
      for (int n = keys; n < TILE; n++) {
        cells[r][n] = -INFINITY;
      }
      real larger = most[r];
      for (int n = 0; n < keys; n++) {
        larger = cells[r][n] > larger ? cells[r][n] : larger;
      }
      const real shrink = power((most[r] - larger) * c.factor);
      vec total = 0;
      for (int n = 0; n < TILE; n += LANES) {
        const vec p = power((VLOAD(0, &cells[r][n]) - larger) * c.factor);
        total += p;
        PASTE(vstore, LANES)(p, 0, &cells[r][n]);
      }
      sum[r] = sum[r] * shrink + across(total);
      most[r] = larger;
      for (int n = 0; c.dropped > 0 && n < keys; n++) {
        cells[r][n] *= survival(&c, b, h, i, j + n);
      }
      global real* to = sums + ((part * c.batches + b) * c.heads * queries + h * queries + r % queries) * valueWidth;
      if (shrink != 1) {
        for (int d = 0; d < valueWidth; d++) {
          to[d] *= shrink;
        }
      }
      pool(value, valueAt, c.value.row, cells[r], keys, valueWidth, to);
    }
  }
  for (int r = 0; r < rows; r++) {
    global real* to = states
        + ((part * c.batches + b) * c.heads * queries + (kh * group + r / queries) * queries + r % queries) * 2;
    to[0] = most[r];
    to[1] = sum[r];
  }
}
