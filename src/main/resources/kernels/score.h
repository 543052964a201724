// One attention as kernels see it, and what happens to a score between the product and the softmax.
#ifndef HEED_SCORE
#define HEED_SCORE
#include "exponential.h"

#ifndef MODIFIED // whether scores are scaled, capped, biased or tilted before the mask; else the scale rides in `factor`;
                 // 2: the call says so, one variant less where compiling costs more than asking
#define MODIFIED 1
#endif

// How a query and a key meet, number by number of their width: the sum of
//   DOT      q k
//   TANH     v tanh(q + k)          v of this head: `meeting`
//   SQUARES  -w^2/2 (q - k)^2       w of this head: the one number of `meeting`
#define DOT 0
#define TANH 1
#define SQUARED_DISTANCE 2
#ifndef SCORE_OP
#define SCORE_OP DOT
#endif

#if SCORE_OP == TANH
#define ADD_TERM(sum, q, k, v) fma(v, accurate_tanh((q) + (k)), sum)
#define PER_ELEMENT 1 // whether every number of the width has its own number of `meeting`
#elif SCORE_OP == SQUARED_DISTANCE
#define ADD_TERM(sum, q, k, v) fma((q) - (k), (q) - (k), sum)
#else
#define ADD_TERM(sum, q, k, v) fma(q, k, sum)
#endif
#ifndef PER_ELEMENT
#define PER_ELEMENT 0
#endif

#define RUN 8 // terms that are added up by themselves, where rows do not meet as a product

// What follows the sum.
inline real score_factor(global const real* scoreParams) {
#if SCORE_OP == SQUARED_DISTANCE
  return (real)-0.5 * scoreParams[0] * scoreParams[0];
#else
  return 1;
#endif
}

// Where element [batch][head][row][0] lies, in elements; the width is contiguous.
typedef struct {
  long offset, batchStride, headStride, rowStride;
} View;

// Cells of [batch][head][query][key]; a shared axis has step 0.
typedef struct {
  long offset, batchStride, headStride, queryStride, keyStride;
} Cells;

// The numbers of one launch. Indices of queries and keys in masks, ALiBi and dropout are those of the whole problem, of
// which this launch may compute a part that begins at `from`.
typedef struct {
  View query, key, value, output, dOut;
  Cells bias, dense, maskTiles; // tiles: of the dense mask, TILE_OF_MASK in both directions: 0 nothing, 1 some, 2 all
  long batches, heads, kvHeads, queries, keys, headDim, valueHeadDim;
  long batchFrom, headFrom, queryFrom, keyFrom; // headFrom counts query heads
  long alibiOffset;                                    // ALiBi: |query + tilt - key|
  long seed, dropoutThreshold;                           // a random word below `dropped` drops; 0 for no dropout
  long begins, ends;                            // whether this launch reads the first and the last keys of its rows
  long rows;                                    // chosen rows, or splits of the keys
  long hasDense, hasBias, hasSlopes, hasSink, stage, modifies;
  long scoreParamsStride; // how far the numbers of `meeting` of a head are from those of the last
  real scale, factor, unit, softcap, dropoutScale;
} Call;

// For each batch: the least and the largest key - query that takes part, and the end of its keys.
typedef struct {
  int least, largest, end, unused;
} Band;

inline bool is_attended(const Call* c, Band band, global const uchar* dense, long b, long h, int i, int j) {
  const int distance = j - i;
  bool attended = distance >= band.least && distance <= band.largest && j < band.end;
  if (attended && c->hasDense) {
    attended = dense[c->dense.offset + b * c->dense.batchStride + h * c->dense.headStride + (i - c->queryFrom) * c->dense.queryStride
                 + (j - c->keyFrom) * c->dense.keyStride]
        != 0;
  }
  return attended;
}

#define MASK_TILE 64

// What the dense mask says of a tile, as below; 1 where nobody looked.
inline int dense_cover(const Call* c, global const uchar* maskTiles, long b, long h, int i, int iEnd, int j, int jEnd) {
  if (!c->hasDense) {
    return 2;
  }
  if (!maskTiles) {
    return 1;
  }
  bool none = true, all = true;
  global const uchar* head = maskTiles + c->maskTiles.offset + b * c->maskTiles.batchStride + h * c->maskTiles.headStride;
  for (long q = (i - c->queryFrom) / MASK_TILE; q <= (iEnd - 1 - c->queryFrom) / MASK_TILE; q++) {
    for (long k = (j - c->keyFrom) / MASK_TILE; k <= (jEnd - 1 - c->keyFrom) / MASK_TILE; k++) {
      const uchar coverage = head[q * c->maskTiles.queryStride + k * c->maskTiles.keyStride];
      none = none && coverage == 0;
      all = all && coverage == 2;
    }
  }
  return none ? 0 : all ? 2 : 1;
}

// A tile of queries [i, iEnd) by keys [j, jEnd): 0 nothing takes part, 1 some may, 2 everything does.
inline int cover(const Call* c, Band band, global const uchar* maskTiles, long b, long h, int i, int iEnd, int j,
                 int jEnd) {
  const int nearest = j - (iEnd - 1);
  const int farthest = jEnd - 1 - i;
  if (nearest > band.largest || farthest < band.least || j >= band.end) {
    return 0;
  }
  const int dense = dense_cover(c, maskTiles, b, h, i, iEnd, j, jEnd);
  const bool inside = nearest >= band.least && farthest <= band.largest && jEnd <= band.end;
  return dense == 0 ? 0 : inside && dense == 2 ? 2 : 1;
}

// The keys [start, end) of this launch that any of the queries [i, iEnd) may see, start at a multiple of `step`.
inline int2 attended_keys(const Call* c, Band band, int i, int iEnd, int step) {
  const int keyEnd = (int)(c->keyFrom + c->keys);
  const int end = min(min(keyEnd, band.end), (int)min((long)iEnd + band.largest, (long)INT_MAX));
  const int least = max(i + band.least, (int)c->keyFrom) - (int)c->keyFrom;
  return (int2)((int)c->keyFrom + least / step * step, end);
}

// score -> softcap -> + bias, + ALiBi. A bias of minus infinity hides whatever the score.
inline real modified(const Call* c, real s, global const real* bias, real slope, long b, long h, int i, int j) {
#if MODIFIED
#if MODIFIED == 2
  if (!c->modifies) {
    return s;
  }
#endif
  s *= c->scale;
  if (c->softcap > 0) {
    s = accurate_tanh(s / c->softcap) * c->softcap;
  }
  if (c->hasBias) {
    const real added = bias[c->bias.offset + b * c->bias.batchStride + h * c->bias.headStride + (i - c->queryFrom) * c->bias.queryStride
                            + (j - c->keyFrom) * c->bias.keyStride];
    s = added == -INFINITY ? added : s + added;
  }
  if (c->hasSlopes && slope != 0) {
    s -= slope * (real)abs(i + (int)c->alibiOffset - j);
  }
#endif
  return s;
}

// Philox 4x32-10 (Salmon et al. 2011): four words for the counter (key / 4, query, head, batch).
#define PHILOX(WORDS) \
  inline void __attribute__((overloadable)) philox(WORDS* x0, WORDS* x1, WORDS* x2, WORDS* x3, ulong seed) { \
    uint k0 = (uint)seed, k1 = (uint)(seed >> 32); \
    for (int round = 0; round < 10; round++) { \
      const WORDS high0 = mul_hi(*x0, (WORDS)0xD2511F53u), low0 = *x0 * 0xD2511F53u; \
      const WORDS high1 = mul_hi(*x2, (WORDS)0xCD9E8D57u), low1 = *x2 * 0xCD9E8D57u; \
      *x0 = high1 ^ *x1 ^ k0; \
      *x1 = low1; \
      *x2 = high0 ^ *x3 ^ k1; \
      *x3 = low0; \
      k0 += 0x9E3779B9u; \
      k1 += 0xBB67AE85u; \
    } \
  }
PHILOX(uint)

// 0 for a dropped weight, 1 / (1 - p) for a kept one.
inline real dropout_factor(const Call* c, long b, long h, int i, int j) {
  uint x0 = (uint)j >> 2, x1 = (uint)i, x2 = (uint)(h + c->headFrom), x3 = (uint)(b + c->batchFrom);
  philox(&x0, &x1, &x2, &x3, (ulong)c->seed);
  const int which = j & 3;
  const uint word = which == 0 ? x0 : which == 1 ? x1 : which == 2 ? x2 : x3;
  return word < (ulong)c->dropoutThreshold ? 0 : c->dropoutScale;
}

// What a row that has read all its keys stands for: weights are power((score - most) * factor) * inverse.
typedef struct {
  real lse, inverse, sink; // sink: its share of the row
} RowStats;

// With the sink in the sum. A row without any key has inverse 0, and as LSE the sink or minus infinity.
inline RowStats finish_row(const Call* c, real rowMax, real rowSum, real sink) {
  RowStats row;
  const bool empty = rowSum == 0;
  row.lse = empty ? -INFINITY : fma(rowMax, c->unit, log(rowSum));
  row.inverse = empty ? 0 : 1 / rowSum;
  row.sink = 0;
  if (c->hasSink && sink != -INFINITY) {
    const real scaledMax = rowMax * c->unit;
    const real top = empty || sink > scaledMax ? sink : scaledMax;
    const real rescale = empty ? 0 : exp(scaledMax - top);
    const real sumWithSink = fma(rowSum, rescale, exp(sink - top));
    row.lse = empty ? sink : top + log(sumWithSink);
    row.inverse = empty ? 0 : rescale / sumWithSink;
    row.sink = empty ? 1 : exp(sink - top) / sumWithSink;
  }
  return row;
}

#endif
