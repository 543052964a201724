// Prefill on a CPU device: attention of many queries. A work-item computes a panel of queries of one head; the queries are
// the lanes of its vectors. Nothing is copied to local memory, because on a CPU it is ordinary memory.
//
//   scores  [key][query] = K Q'                          keys are broadcast from memory, queries are packed
//   weights [key][query] = 2^(factor (S - m))            m and l are per lane
//   sums    [valueHeadDim][query] += V' weights          values are broadcast from memory
//
//   packed  [work-item][headDim][query of the panel]     scratch: the queries as reals
//   sums    [work-item][valueHeadDim, rounded up to 4][query of the panel]
//   state   [batch][head][query][2]
//   output  [batch][head][query][valueHeadDim], with the offset and strides in c.output
//   lse     [3][batch][head][query], LSE, row maximum and row sum
//
// If the keys come in chunks, `sums` and `state` (row maximum, row sum) keep the partial attention states between launches.
// The launch of the last chunk writes `output`, `lse`, and row maximum and inverse row sum to `state`.
//
// Work-items: panels in reverse order, because under a causal mask the last panels attend to the most keys, then batch
// entries, then heads (innermost). -D options: LANES, VECTORS, and the options of score.h.
#include "score.h"

#ifndef VECTORS // vectors of a panel: 4 on a CPU with 32 vector registers, else 2
#define VECTORS 4
#endif
#define PANEL (LANES * VECTORS) // queries of a panel
#define TILE_KEYS 64            // keys of a tile

PHILOX(words)

// A micro-kernel multiplies four rows by the vectors v of a panel, with the 4 x VECTORS sums r0v ... r3v in registers.
//   EACH(X)                 X for every v
//   ZERO_SUMS               declares the sums of v as zeros
//   LOAD_COLUMN             bv = vector v at `from`
//   MULTIPLY_ADD            rows a0 ... a3 times bv are added to the sums
//   MULTIPLY_ADD_ATTENDED   the same, but lanes in which bv is 0 keep their sums
//   STORE_SUMS              writes the sums of v to `to`
//   ADD_TO_SUMS             adds the sums of v to the sums at `to`
#if VECTORS == 4
#define EACH(X) X(0) X(1) X(2) X(3)
#else
#define EACH(X) X(0) X(1)
#endif
#define ZERO_SUMS(v) vec r0##v = 0, r1##v = 0, r2##v = 0, r3##v = 0;
#define LOAD_COLUMN(v) const vec b##v = from[v];
#define MULTIPLY_ADD(v) \
  r0##v = fma(a0, b##v, r0##v); r1##v = fma(a1, b##v, r1##v); \
  r2##v = fma(a2, b##v, r2##v); r3##v = fma(a3, b##v, r3##v);
#define STORE_SUMS(v) \
  to[v] = r0##v; to[VECTORS + v] = r1##v; to[2 * VECTORS + v] = r2##v; to[3 * VECTORS + v] = r3##v;
#define ADD_TO_SUMS(v) \
  to[v] += r0##v; to[VECTORS + v] += r1##v; to[2 * VECTORS + v] += r2##v; to[3 * VECTORS + v] += r3##v;
#define MULTIPLY_ADD_ATTENDED(v) \
  { const truth none = b##v == 0; \
    r0##v = none ? r0##v : fma(a0, b##v, r0##v); r1##v = none ? r1##v : fma(a1, b##v, r1##v); \
    r2##v = none ? r2##v : fma(a2, b##v, r2##v); r3##v = none ? r3##v : fma(a3, b##v, r3##v); }

typedef STORED(STORAGE) element;

// The scores of the packed queries and four keys, whose rows begin at k0 ... k3, before the scale.
inline void pair_scores(global const element* k, long k0, long k1, long k2, long k3, global const vec* packed,
                        int depth, global const real* scoreParams, vec* to) {
#if SCORE_OP == DOT
  EACH(ZERO_SUMS)
  for (int d = 0; d < depth; d++) {
    global const vec* from = packed + d * VECTORS;
    EACH(LOAD_COLUMN)
    const vec a0 = LOAD(STORAGE, k, k0 + d), a1 = LOAD(STORAGE, k, k1 + d);
    const vec a2 = LOAD(STORAGE, k, k2 + d), a3 = LOAD(STORAGE, k, k3 + d);
    EACH(MULTIPLY_ADD)
  }
  EACH(STORE_SUMS)
#else
  const vec factor = score_factor(scoreParams);
  for (int v = 0; v < VECTORS; v++) {
    vec s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int r = 0; r < depth; r += RUN) {
      vec r0 = 0, r1 = 0, r2 = 0, r3 = 0;
      for (int d = r; d < min(depth, r + RUN); d++) {
        const vec q = packed[d * VECTORS + v], w = PER_ELEMENT ? scoreParams[d] : 0;
        r0 = ADD_TERM(r0, q, (vec)LOAD(STORAGE, k, k0 + d), w);
        r1 = ADD_TERM(r1, q, (vec)LOAD(STORAGE, k, k1 + d), w);
        r2 = ADD_TERM(r2, q, (vec)LOAD(STORAGE, k, k2 + d), w);
        r3 = ADD_TERM(r3, q, (vec)LOAD(STORAGE, k, k3 + d), w);
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

// Adds weighted values to four rows of the sums. They belong to the columns of the values at offsets 0, d1, d2 and d3 from
// `offset`. The keys of a tile are summed on their own, because a long sum of equal terms loses digits at each addition.
inline void pool(global const element* v, long offset, long rowStride, int d1, int d2, int d3, const vec* weights,
                 int keys, global vec* to) {
  EACH(ZERO_SUMS)
  for (int j = 0; j < keys; j++, offset += rowStride) {
    const vec* from = weights + j * VECTORS;
    EACH(LOAD_COLUMN)
    const vec a0 = LOAD(STORAGE, v, offset), a1 = LOAD(STORAGE, v, offset + d1);
    const vec a2 = LOAD(STORAGE, v, offset + d2), a3 = LOAD(STORAGE, v, offset + d3);
    EACH(MULTIPLY_ADD)
  }
  EACH(ADD_TO_SUMS)
}

// As pool, but a value of weight 0 adds nothing: its key may be masked and the value NaN.
inline void pool_attended(global const element* v, long offset, long rowStride, int d1, int d2, int d3,
                          const vec* weights, int keys, global vec* to) {
  EACH(ZERO_SUMS)
  for (int j = 0; j < keys; j++, offset += rowStride) {
    const vec* from = weights + j * VECTORS;
    EACH(LOAD_COLUMN)
    const vec a0 = LOAD(STORAGE, v, offset), a1 = LOAD(STORAGE, v, offset + d1);
    const vec a2 = LOAD(STORAGE, v, offset + d2), a3 = LOAD(STORAGE, v, offset + d3);
    EACH(MULTIPLY_ADD_ATTENDED)
  }
  EACH(ADD_TO_SUMS)
}

// Whether all values of a tile are finite. Bits are compared, because a compiler may simplify x * 0 to 0 (Mesa's does).
inline bool all_finite(global const element* v, long offset, long rowStride, int keys, int columns) {
  magnitude_bits largest = 0;
  for (int j = 0; j < keys; j++, offset += rowStride) {
    for (int d = 0; d < columns; d++) {
      largest = max(largest, MAGNITUDE_BITS(LOAD(STORAGE, v, offset + d)));
    }
  }
  return largest < MAGNITUDE_BITS((real)INFINITY);
}

// Applies scale, softcap, bias and ALiBi to the scores of a tile.
inline void modify_scores(const Call* c, vec* tile, global const real* bias, real slope, long b, long h, int i,
                          int queries, int j, int keys) {
#if MODIFIED
  for (int n = 0; n < keys * VECTORS; n++) {
    vec s = tile[n] * c->scale;
    if (c->softcap > 0) {
      s = accurate_tanh(s / c->softcap) * c->softcap;
    }
    tile[n] = s;
  }
  if (c->hasBias || (c->hasSlopes && slope != 0)) {
    real* cells = (real*)tile;
    global const real* row = bias + c->bias.offset + b * c->bias.batchStride + h * c->bias.headStride;
    for (int n = 0; n < keys; n++) {
      for (int m = 0; m < queries; m++) {
        real s = cells[n * PANEL + m];
        if (c->hasBias) {
          const real added =
              row[(i + m - c->queryFrom) * c->bias.queryStride + (j + n - c->keyFrom) * c->bias.keyStride];
          s = added == -INFINITY ? added : s + added;
        }
        cells[n * PANEL + m] = c->hasSlopes ? s - slope * (real)abs(i + m + (int)c->alibiOffset - j - n) : s;
      }
    }
  }
#endif
}

// Sets the scores of masked keys to minus infinity.
inline void mask_scores(const Call* c, Band band, global const uchar* mask, vec* tile, long b, long h, int i,
                        int queries, int j, int keys) {
  real* cells = (real*)tile;
  for (int n = 0; n < keys; n++) {
    for (int m = 0; m < queries; m++) {
      if (!is_attended(c, band, mask, b, h, i + m, j + n)) {
        cells[n * PANEL + m] = -INFINITY;
      }
    }
  }
}

// Applies dropout to the weights of a tile. One Philox counter gives the random words of four keys. If the first key j is
// not a multiple of 4, the previous tile uses the same counter, and the words are computed again.
inline void apply_dropout(const Call* c, vec* tile, long b, long h, int i, int j, int keys) {
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
        weight[m] = word[m] < (ulong)c->dropoutThreshold ? 0 : weight[m] * c->dropoutScale;
      }
    }
  }
}

kernel void prefill_lanes(const Call c, global const element* query, global const element* key,
                          global const element* value, global element* output, global vec* packed, global vec* sums,
                          global real* state, global real* lse, global const Band* bands, global const uchar* mask,
                          global const uchar* maskTiles, global const real* bias, global const real* slopes,
                          global const real* sinks, global const real* scoreParams) {
  const long panels = (c.queries + PANEL - 1) / PANEL;
  const long heads = c.batches * c.heads;
  const long task = get_global_id(0);
  const long bh = task % heads;
  const long b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.kvHeads);
  const int first = (int)(panels - 1 - task / heads) * PANEL; // first query of the panel, within this launch
  const int queries = (int)min((long)PANEL, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const int headDim = (int)c.headDim, valueHeadDim = (int)c.valueHeadDim;
  const int sumRows = (valueHeadDim + 3) / 4 * 4;
  global vec* ownQueries = packed + task * headDim * VECTORS;
  global vec* to = sums + task * sumRows * VECTORS;
  const real slope = c.hasSlopes ? slopes[h] : 0;
  vec tile[TILE_KEYS * VECTORS], rowMax[VECTORS], rowSum[VECTORS], rescale[VECTORS];

  for (int m = 0; m < PANEL; m++) {
    const long offset = c.query.offset + b * c.query.batchStride + h * c.query.headStride
                        + (first + min(m, queries - 1)) * c.query.rowStride;
    for (int d = 0; d < headDim; d++) {
      ((global real*)ownQueries)[d * PANEL + m] = LOAD(STORAGE, query, offset + d);
    }
  }
  global real* stats = state + (bh * c.queries + first) * 2;
  for (int v = 0; v < VECTORS; v++) {
    rowMax[v] = EMPTY_MAX;
    rowSum[v] = 0;
  }
  if (c.begins) {
    for (int n = 0; n < sumRows * VECTORS; n++) {
      to[n] = 0;
    }
  } else {
    for (int m = 0; m < queries; m++) {
      ((real*)rowMax)[m] = stats[2 * m];
      ((real*)rowSum)[m] = stats[2 * m + 1];
    }
  }

  const int least = max((int)c.keyFrom, i + band.least);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  const int end = min(min(keyEnd, band.end), (int)min((long)i + queries + band.largest, (long)INT_MAX));
  const int start = (int)c.keyFrom + (max(least, (int)c.keyFrom) - (int)c.keyFrom) / TILE_KEYS * TILE_KEYS;
  for (int j = start; j < end; j += TILE_KEYS) {
    const int keys = min(TILE_KEYS, keyEnd - j);
    const int covered = cover(&c, band, maskTiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long keyOffset =
        c.key.offset + b * c.key.batchStride + kh * c.key.headStride + (j - c.keyFrom) * c.key.rowStride;
    for (int n = 0; n < keys; n += 4) {
      pair_scores(key, keyOffset + n * c.key.rowStride, keyOffset + min(n + 1, keys - 1) * c.key.rowStride,
                  keyOffset + min(n + 2, keys - 1) * c.key.rowStride,
                  keyOffset + min(n + 3, keys - 1) * c.key.rowStride, ownQueries, headDim,
                  scoreParams + h * c.scoreParamsStride, tile + n * VECTORS);
    }
    modify_scores(&c, tile, bias, slope, b, h, i, queries, j, keys);
    bool masked = c.hasBias || c.dropoutThreshold > 0;
    if (covered == 1) {
      mask_scores(&c, band, mask, tile, b, h, i, queries, j, keys);
      masked = true;
    }
    bool anyRescale = false;
    for (int v = 0; v < VECTORS; v++) {
      vec newMax = rowMax[v];
      for (int n = 0; n < keys; n++) {
        const vec s = tile[n * VECTORS + v];
        newMax = s > newMax ? s : newMax; // false for NaN, which affects only its own row sum
      }
      anyRescale |= any(newMax != rowMax[v]);
      rescale[v] = accurate_exp2((rowMax[v] - newMax) * c.factor);
      vec tileSum = 0;
      for (int n = 0; n < keys; n++) {
        const vec p = accurate_exp2((tile[n * VECTORS + v] - newMax) * c.factor);
        tileSum += p;
        tile[n * VECTORS + v] = p;
      }
      rowMax[v] = newMax;
      rowSum[v] = rowSum[v] * rescale[v] + tileSum;
    }
    if (anyRescale) {
      for (int n = 0; n < sumRows; n++) {
        for (int v = 0; v < VECTORS; v++) {
          to[n * VECTORS + v] *= rescale[v];
        }
      }
    }
    if (c.dropoutThreshold > 0) {
      apply_dropout(&c, tile, b, h, i, j, keys);
    }
    const long valueOffset =
        c.value.offset + b * c.value.batchStride + kh * c.value.headStride + (j - c.keyFrom) * c.value.rowStride;
    const bool skipZeros = masked && !all_finite(value, valueOffset, c.value.rowStride, keys, valueHeadDim);
    for (int d = 0; d < valueHeadDim; d += 4) {
      const int last = valueHeadDim - 1 - d;
      if (skipZeros) {
        pool_attended(value, valueOffset + d, c.value.rowStride, min(1, last), min(2, last), min(3, last), tile, keys,
                      to + d * VECTORS);
      } else {
        pool(value, valueOffset + d, c.value.rowStride, min(1, last), min(2, last), min(3, last), tile, keys,
             to + d * VECTORS);
      }
    }
  }

  if (!c.ends) {
    for (int m = 0; m < queries; m++) {
      stats[2 * m] = ((real*)rowMax)[m];
      stats[2 * m + 1] = ((real*)rowSum)[m];
    }
    return;
  }
  for (int m = 0; m < queries; m++) {
    const RowStats row = finish_row(&c, ((real*)rowMax)[m], ((real*)rowSum)[m], c.hasSink ? sinks[h] : 0);
    stats[2 * m] = ((real*)rowMax)[m];
    stats[2 * m + 1] = row.inverse;
    store_statistics(&c, row, bh * c.queries + first + m, lse);
    const long offset =
        c.output.offset + b * c.output.batchStride + h * c.output.headStride + (first + m) * c.output.rowStride;
    for (int d = 0; d < valueHeadDim; d++) {
      STORE(STORAGE, row.inverse == 0 ? (real)0 : ((global real*)to)[d * PANEL + m] * row.inverse, output, offset + d);
    }
  }
}
