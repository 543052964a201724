// Attention of many queries on a CPU device: one work-item computes a panel of queries of one head, the queries in the
// lanes of its vectors. Nothing is staged: a CPU's local memory is its cache.
//
//   scores  [key][query] = K Q'            keys broadcast from where they lie, queries packed
//   weights [key][query] = 2^(factor (s - max))   maximum and sum run down the lanes
//   sums    [width][query] += V' weights   values broadcast from where they lie
#include "score.h"

#ifndef VECTORS // vectors of a panel: 4 where there are 32 registers, else 2
#define VECTORS 4
#endif
#define PANEL (LANES * VECTORS)
#define TILE 64

PHILOX(words)

#if VECTORS == 4
#define EACH(X) X(0) X(1) X(2) X(3)
#else
#define EACH(X) X(0) X(1)
#endif
#define ZERO(v) vec r0##v = 0, r1##v = 0, r2##v = 0, r3##v = 0;
#define COLUMN(v) const vec b##v = from[v];
#define MULTIPLY(v) \
  r0##v = fma(a0, b##v, r0##v); r1##v = fma(a1, b##v, r1##v); \
  r2##v = fma(a2, b##v, r2##v); r3##v = fma(a3, b##v, r3##v);
#define KEEP(v) \
  to[v] = r0##v; to[VECTORS + v] = r1##v; to[2 * VECTORS + v] = r2##v; to[3 * VECTORS + v] = r3##v;
#define TAKE(v) \
  vec r0##v = to[v], r1##v = to[VECTORS + v], r2##v = to[2 * VECTORS + v], r3##v = to[3 * VECTORS + v];
#define GUARDED(v) \
  { const truth none = b##v == 0; \
    r0##v = none ? r0##v : fma(a0, b##v, r0##v); r1##v = none ? r1##v : fma(a1, b##v, r1##v); \
    r2##v = none ? r2##v : fma(a2, b##v, r2##v); r3##v = none ? r3##v : fma(a3, b##v, r3##v); }

typedef STORED(STORAGE) element;

// Four rows of scores before the scale: keys whose rows begin at k0 .. k3 against the packed queries.
inline void meet(global const element* k, long k0, long k1, long k2, long k3, global const vec* packed, int depth,
                 global const real* meeting, vec* to) {
#if MEETING == DOT
  EACH(ZERO)
  for (int d = 0; d < depth; d++) {
    global const vec* from = packed + d * VECTORS;
    EACH(COLUMN)
    const vec a0 = LOAD(STORAGE, k, k0 + d), a1 = LOAD(STORAGE, k, k1 + d);
    const vec a2 = LOAD(STORAGE, k, k2 + d), a3 = LOAD(STORAGE, k, k3 + d);
    EACH(MULTIPLY)
  }
  EACH(KEEP)
#else
  const vec factor = met_factor(meeting);
  for (int v = 0; v < VECTORS; v++) {
    vec s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int r = 0; r < depth; r += RUN) {
      vec r0 = 0, r1 = 0, r2 = 0, r3 = 0;
      for (int d = r; d < min(depth, r + RUN); d++) {
        const vec q = packed[d * VECTORS + v], w = PER_NUMBER ? meeting[d] : 0;
        r0 = MEET(r0, q, (vec)LOAD(STORAGE, k, k0 + d), w);
        r1 = MEET(r1, q, (vec)LOAD(STORAGE, k, k1 + d), w);
        r2 = MEET(r2, q, (vec)LOAD(STORAGE, k, k2 + d), w);
        r3 = MEET(r3, q, (vec)LOAD(STORAGE, k, k3 + d), w);
      }
      s0 += r0;
      s1 += r1;
      s2 += r2;
      s3 += r3;
    }
    to[v] = s0 * factor;
    to[VECTORS + v] = s1 * factor;
    to[2 * VECTORS + v] = s2 * factor;
    to[3 * VECTORS + v] = s3 * factor;
  }
#endif
}

// Four rows of sums: columns d0 .. d3 of the values, weighted.
inline void pool(global const element* v, long at, long row, int d1, int d2, int d3, const vec* weights, int keys,
                 global vec* to) {
  EACH(TAKE)
  for (int j = 0; j < keys; j++, at += row) {
    const vec* from = weights + j * VECTORS;
    EACH(COLUMN)
    const vec a0 = LOAD(STORAGE, v, at), a1 = LOAD(STORAGE, v, at + d1);
    const vec a2 = LOAD(STORAGE, v, at + d2), a3 = LOAD(STORAGE, v, at + d3);
    EACH(MULTIPLY)
  }
  EACH(KEEP)
}

// As pool, but a value that weighs nothing is not read: it may be hidden, and NaN.
inline void pool_visible(global const element* v, long at, long row, int d1, int d2, int d3, const vec* weights,
                         int keys, global vec* to) {
  EACH(TAKE)
  for (int j = 0; j < keys; j++, at += row) {
    const vec* from = weights + j * VECTORS;
    EACH(COLUMN)
    const vec a0 = LOAD(STORAGE, v, at), a1 = LOAD(STORAGE, v, at + d1);
    const vec a2 = LOAD(STORAGE, v, at + d2), a3 = LOAD(STORAGE, v, at + d3);
    EACH(GUARDED)
  }
  EACH(KEEP)
}

// Whether all values of a tile are finite, by their bits: a compiler may take x * 0 for 0 (Mesa's does).
inline bool finite(global const element* v, long at, long row, int keys, int width) {
  size_bits largest = 0;
  for (int j = 0; j < keys; j++, at += row) {
    for (int d = 0; d < width; d++) {
      largest = max(largest, SIZE_BITS(LOAD(STORAGE, v, at + d)));
    }
  }
  return largest < SIZE_BITS((real)INFINITY);
}

inline void modify(const Call* c, vec* tile, global const real* bias, real slope, long b, long h, int i, int queries,
                   int j, int keys) {
#if MODIFIED
  for (int n = 0; n < keys * VECTORS; n++) {
    vec s = tile[n] * c->scale;
    if (c->softcap > 0) {
      s = tangent(s / c->softcap) * c->softcap;
    }
    tile[n] = s;
  }
  if (c->hasBias || (c->hasSlopes && slope != 0)) {
    real* cells = (real*)tile;
    global const real* row = bias + c->bias.at + b * c->bias.batch + h * c->bias.head;
    for (int n = 0; n < keys; n++) {
      for (int m = 0; m < queries; m++) {
        real s = cells[n * PANEL + m];
        if (c->hasBias) {
          const real added = row[(i + m - c->queryFrom) * c->bias.query + (j + n - c->keyFrom) * c->bias.key];
          s = added == -INFINITY ? added : s + added;
        }
        cells[n * PANEL + m] = c->hasSlopes ? s - slope * (real)abs(i + m + (int)c->tilt - j - n) : s;
      }
    }
  }
#endif
}

inline void hide(const Call* c, Band band, global const uchar* dense, vec* tile, long b, long h, int i, int queries,
                 int j, int keys) {
  real* cells = (real*)tile;
  for (int n = 0; n < keys; n++) {
    for (int m = 0; m < queries; m++) {
      if (!takes_part(c, band, dense, b, h, i + m, j + n)) {
        cells[n * PANEL + m] = -INFINITY;
      }
    }
  }
}

// Weights that are dropped become 0; j is a multiple of 4 or the counters of its group are drawn again.
inline void drop(const Call* c, vec* tile, long b, long h, int i, int j, int keys) {
  words lane;
  for (int m = 0; m < LANES; m++) {
    ((uint*)&lane)[m] = (uint)m;
  }
  for (int v = 0; v < VECTORS; v++) {
    words x[4];
    for (int n = 0; n < keys; n++) {
      if (n == 0 || ((j + n) & 3) == 0) {
        x[0] = (words)((uint)(j + n) >> 2);
        x[1] = lane + (uint)(i + v * LANES);
        x[2] = (words)((uint)(h + c->headFrom));
        x[3] = (words)((uint)(b + c->batchFrom));
        philox(&x[0], &x[1], &x[2], &x[3], (ulong)c->seed);
      }
      const uint* word = (const uint*)&x[(j + n) & 3];
      real* weight = (real*)&tile[n * VECTORS + v];
      for (int m = 0; m < LANES; m++) {
        weight[m] = word[m] < (ulong)c->dropped ? 0 : weight[m] * c->kept;
      }
    }
  }
}

// One work-item for each panel of each head; panels of later queries, whose causal rows are longer, come first.
// `sums` and `state` (max, sum) hold what was read before where a launch continues; `state` receives the largest score
// and the inverse sum of every row when the launch ends.
kernel void prefill_lanes(const Call c, global const element* query, global const element* key,
                          global const element* value, global element* output, global vec* packed, global vec* sums,
                          global real* state, global real* lse, global const Band* bands, global const uchar* dense,
                          global const uchar* tiles, global const real* bias, global const real* slopes,
                          global const real* sinks, global const real* meeting) {
  const long panels = (c.queries + PANEL - 1) / PANEL;
  const long heads = c.batches * c.heads;
  const long task = get_global_id(0);
  const long bh = task % heads;
  const long b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.keyHeads);
  const int first = (int)(panels - 1 - task / heads) * PANEL; // within this launch
  const int queries = (int)min((long)PANEL, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const int width = (int)c.width, valueWidth = (int)c.valueWidth;
  const int rows = (valueWidth + 3) / 4 * 4;
  global vec* mine = packed + task * width * VECTORS;
  global vec* to = sums + task * rows * VECTORS;
  const real slope = c.hasSlopes ? slopes[h] : 0;
  vec tile[TILE * VECTORS], most[VECTORS], sum[VECTORS], shrink[VECTORS];

  for (int m = 0; m < PANEL; m++) {
    const long at = c.query.at + b * c.query.batch + h * c.query.head + (first + min(m, queries - 1)) * c.query.row;
    for (int d = 0; d < width; d++) {
      ((global real*)mine)[d * PANEL + m] = LOAD(STORAGE, query, at + d);
    }
  }
  global real* stats = state + (bh * c.queries + first) * 2;
  for (int v = 0; v < VECTORS; v++) {
    most[v] = NOTHING;
    sum[v] = 0;
  }
  if (c.begins) {
    for (int n = 0; n < rows * VECTORS; n++) {
      to[n] = 0;
    }
  } else {
    for (int m = 0; m < queries; m++) {
      ((real*)most)[m] = stats[2 * m];
      ((real*)sum)[m] = stats[2 * m + 1];
    }
  }

  const int least = max((int)c.keyFrom, i + band.least);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  const int end = min(min(keyEnd, band.end), (int)min((long)i + queries + band.largest, (long)INT_MAX));
  const int start = (int)c.keyFrom + (max(least, (int)c.keyFrom) - (int)c.keyFrom) / TILE * TILE;
  for (int j = start; j < end; j += TILE) {
    const int keys = min(TILE, keyEnd - j);
    const int covered = cover(&c, band, tiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long keyAt = c.key.at + b * c.key.batch + kh * c.key.head + (j - c.keyFrom) * c.key.row;
    for (int n = 0; n < keys; n += 4) {
      meet(key, keyAt + n * c.key.row, keyAt + min(n + 1, keys - 1) * c.key.row,
           keyAt + min(n + 2, keys - 1) * c.key.row, keyAt + min(n + 3, keys - 1) * c.key.row, mine, width,
           meeting + h * c.meetingHead, tile + n * VECTORS);
    }
    modify(&c, tile, bias, slope, b, h, i, queries, j, keys);
    bool hidden = c.hasBias || c.dropped > 0;
    if (covered == 1) {
      hide(&c, band, dense, tile, b, h, i, queries, j, keys);
      hidden = true;
    }
    bool shrinks = false;
    for (int v = 0; v < VECTORS; v++) {
      vec larger = most[v];
      for (int n = 0; n < keys; n++) {
        const vec s = tile[n * VECTORS + v];
        larger = s > larger ? s : larger; // false for NaN, which spoils its own sum alone
      }
      shrinks |= any(larger != most[v]);
      shrink[v] = power((most[v] - larger) * c.factor);
      vec total = sum[v] * shrink[v];
      for (int n = 0; n < keys; n++) {
        const vec p = power((tile[n * VECTORS + v] - larger) * c.factor);
        total += p;
        tile[n * VECTORS + v] = p;
      }
      most[v] = larger;
      sum[v] = total;
    }
    if (shrinks) {
      for (int n = 0; n < rows; n++) {
        for (int v = 0; v < VECTORS; v++) {
          to[n * VECTORS + v] *= shrink[v];
        }
      }
    }
    if (c.dropped > 0) {
      drop(&c, tile, b, h, i, j, keys);
    }
    const long valueAt = c.value.at + b * c.value.batch + kh * c.value.head + (j - c.keyFrom) * c.value.row;
    const bool guarded = hidden && !finite(value, valueAt, c.value.row, keys, valueWidth);
    for (int d = 0; d < valueWidth; d += 4) {
      const int last = valueWidth - 1 - d;
      if (guarded) {
        pool_visible(value, valueAt + d, c.value.row, min(1, last), min(2, last), min(3, last), tile, keys,
                     to + d * VECTORS);
      } else {
        pool(value, valueAt + d, c.value.row, min(1, last), min(2, last), min(3, last), tile, keys,
             to + d * VECTORS);
      }
    }
  }

  if (!c.ends) {
    for (int m = 0; m < queries; m++) {
      stats[2 * m] = ((real*)most)[m];
      stats[2 * m + 1] = ((real*)sum)[m];
    }
    return;
  }
  for (int m = 0; m < queries; m++) {
    const Row row = finished(&c, ((real*)most)[m], ((real*)sum)[m], c.hasSink ? sinks[h] : 0);
    stats[2 * m] = ((real*)most)[m];
    stats[2 * m + 1] = row.inverse;
    lse[bh * c.queries + first + m] = row.lse;
    const long at = c.output.at + b * c.output.batch + h * c.output.head + (first + m) * c.output.row;
    for (int d = 0; d < valueWidth; d++) {
      STORE(STORAGE, row.inverse == 0 ? (real)0 : ((global real*)to)[d * PANEL + m] * row.inverse, output, at + d);
    }
  }
}
