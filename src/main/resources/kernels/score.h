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
#define SQUARES 2
#ifndef MEETING
#define MEETING DOT
#endif

#if MEETING == TANH
#define MEET(sum, q, k, v) fma(v, tangent((q) + (k)), sum)
#define PER_NUMBER 1 // whether every number of the width has its own number of `meeting`
#elif MEETING == SQUARES
#define MEET(sum, q, k, v) fma((q) - (k), (q) - (k), sum)
#else
#define MEET(sum, q, k, v) fma(q, k, sum)
#endif
#ifndef PER_NUMBER
#define PER_NUMBER 0
#endif

#define RUN 8 // terms that are added up by themselves, where rows do not meet as a product

// What follows the sum.
inline real met_factor(global const real* meeting) {
#if MEETING == SQUARES
  return (real)-0.5 * meeting[0] * meeting[0];
#else
  return 1;
#endif
}

// Where element [batch][head][row][0] lies, in elements; the width is contiguous.
typedef struct {
  long at, batch, head, row;
} View;

// Cells of [batch][head][query][key]; a shared axis has step 0.
typedef struct {
  long at, batch, head, query, key;
} Cells;

// The numbers of one launch. Indices of queries and keys in masks, ALiBi and dropout are those of the whole problem, of
// which this launch may compute a part that begins at `from`.
typedef struct {
  View query, key, value, output, outputGradient;
  Cells bias, dense, tiles; // tiles: of the dense mask, TILE_OF_MASK in both directions: 0 nothing, 1 some, 2 all
  long batches, heads, keyHeads, queries, keys, width, valueWidth;
  long batchFrom, headFrom, queryFrom, keyFrom; // headFrom counts query heads
  long tilt;                                    // ALiBi: |query + tilt - key|
  long seed, dropped;                           // a random word below `dropped` drops; 0 for no dropout
  long begins, ends;                            // whether this launch reads the first and the last keys of its rows
  long rows;                                    // chosen rows, or splits of the keys
  long hasDense, hasBias, hasSlopes, hasSink, stage, modifies;
  long meetingHead; // how far the numbers of `meeting` of a head are from those of the last
  real scale, factor, unit, softcap, kept;
} Call;

// For each batch: the least and the largest key - query that takes part, and the end of its keys.
typedef struct {
  int least, largest, end, none;
} Band;

inline bool takes_part(const Call* c, Band band, global const uchar* dense, long b, long h, int i, int j) {
  const int distance = j - i;
  bool part = distance >= band.least && distance <= band.largest && j < band.end;
  if (part && c->hasDense) {
    part = dense[c->dense.at + b * c->dense.batch + h * c->dense.head + (i - c->queryFrom) * c->dense.query
                 + (j - c->keyFrom) * c->dense.key]
        != 0;
  }
  return part;
}

#define TILE_OF_MASK 64

// What the dense mask says of a tile, as below; 1 where nobody looked.
inline int dense_cover(const Call* c, global const uchar* tiles, long b, long h, int i, int iEnd, int j, int jEnd) {
  if (!c->hasDense) {
    return 2;
  }
  if (!tiles) {
    return 1;
  }
  bool none = true, all = true;
  global const uchar* head = tiles + c->tiles.at + b * c->tiles.batch + h * c->tiles.head;
  for (long q = (i - c->queryFrom) / TILE_OF_MASK; q <= (iEnd - 1 - c->queryFrom) / TILE_OF_MASK; q++) {
    for (long k = (j - c->keyFrom) / TILE_OF_MASK; k <= (jEnd - 1 - c->keyFrom) / TILE_OF_MASK; k++) {
      const uchar seen = head[q * c->tiles.query + k * c->tiles.key];
      none = none && seen == 0;
      all = all && seen == 2;
    }
  }
  return none ? 0 : all ? 2 : 1;
}

// A tile of queries [i, iEnd) by keys [j, jEnd): 0 nothing takes part, 1 some may, 2 everything does.
inline int cover(const Call* c, Band band, global const uchar* tiles, long b, long h, int i, int iEnd, int j,
                 int jEnd) {
  const int nearest = j - (iEnd - 1);
  const int farthest = jEnd - 1 - i;
  if (nearest > band.largest || farthest < band.least || j >= band.end) {
    return 0;
  }
  const int dense = dense_cover(c, tiles, b, h, i, iEnd, j, jEnd);
  const bool inside = nearest >= band.least && farthest <= band.largest && jEnd <= band.end;
  return dense == 0 ? 0 : inside && dense == 2 ? 2 : 1;
}

// The keys [start, end) of this launch that any of the queries [i, iEnd) may see, start at a multiple of `step`.
inline int2 seen_keys(const Call* c, Band band, int i, int iEnd, int step) {
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
    s = tangent(s / c->softcap) * c->softcap;
  }
  if (c->hasBias) {
    const real added = bias[c->bias.at + b * c->bias.batch + h * c->bias.head + (i - c->queryFrom) * c->bias.query
                            + (j - c->keyFrom) * c->bias.key];
    s = added == -INFINITY ? added : s + added;
  }
  if (c->hasSlopes && slope != 0) {
    s -= slope * (real)abs(i + (int)c->tilt - j);
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
inline real survival(const Call* c, long b, long h, int i, int j) {
  uint x0 = (uint)j >> 2, x1 = (uint)i, x2 = (uint)(h + c->headFrom), x3 = (uint)(b + c->batchFrom);
  philox(&x0, &x1, &x2, &x3, (ulong)c->seed);
  const int which = j & 3;
  const uint word = which == 0 ? x0 : which == 1 ? x1 : which == 2 ? x2 : x3;
  return word < (ulong)c->dropped ? 0 : c->kept;
}

// What a row that has read all its keys stands for: weights are power((score - most) * factor) * inverse.
typedef struct {
  real lse, inverse, sink; // sink: its share of the row
} Row;

// With the sink in the sum. A row without any key has inverse 0, and as LSE the sink or minus infinity.
inline Row finished(const Call* c, real most, real total, real sink) {
  Row row;
  const bool empty = total == 0;
  row.lse = empty ? -INFINITY : fma(most, c->unit, log(total));
  row.inverse = empty ? 0 : 1 / total;
  row.sink = 0;
  if (c->hasSink && sink != -INFINITY) {
    const real reached = most * c->unit;
    const real top = empty || sink > reached ? sink : reached;
    const real share = empty ? 0 : exp(reached - top);
    const real with = fma(total, share, exp(sink - top));
    row.lse = empty ? sink : top + log(with);
    row.inverse = empty ? 0 : share / with;
    row.sink = empty ? 1 : exp(sink - top) / with;
  }
  return row;
}

#endif
