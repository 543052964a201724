// The arguments of an attention kernel (`Call`, `Band`) and the steps that all attention kernels share: the pairwise score,
// its modification (scale, softcap, bias, ALiBi), the mask, dropout, and the statistics of a finished row.
//
// -D options: SCORE_OP, MODIFIED, and the options of element.h. `i` and `j` are indices of a query and a key in the whole
// problem.
#ifndef HEED_SCORE
#define HEED_SCORE
#include "exponential.h"

// MODIFIED: 1 applies scale, softcap, bias and ALiBi to scores before the mask. 0 leaves scores unmodified, and `factor`
// contains the scale. 2 chooses by `modifies` at run time; this saves compiling two variants, if that costs more than the
// test.
#ifndef MODIFIED
#define MODIFIED 1
#endif

// SCORE_OP: how a query and a key are scored. The score is a sum over the elements of the head of
//   DOT               q k
//   TANH              v tanh(q + k)       scoreParams of a head: v, headDim elements
//   SQUARED_DISTANCE  -w^2/2 (q - k)^2    scoreParams of a head: w, one element
#define DOT 0
#define TANH 1
#define SQUARED_DISTANCE 2
#ifndef SCORE_OP
#define SCORE_OP DOT
#endif

// ADD_TERM: `sum` plus the term of one element, without -w^2/2, which score_factor returns.
// PER_ELEMENT: whether every element of the head has its own parameter.
#if SCORE_OP == TANH
#define ADD_TERM(sum, q, k, v) fma(v, accurate_tanh((q) + (k)), sum)
#define PER_ELEMENT 1
#elif SCORE_OP == SQUARED_DISTANCE
#define ADD_TERM(sum, q, k, v) fma((q) - (k), (q) - (k), sum)
#else
#define ADD_TERM(sum, q, k, v) fma(q, k, sum)
#endif
#ifndef PER_ELEMENT
#define PER_ELEMENT 0
#endif

#define RUN 8 // terms that are summed before they are added to the score, if the score is not a product

// The factor of a sum of terms.
inline real score_factor(global const real* scoreParams) {
#if SCORE_OP == SQUARED_DISTANCE
  return (real)-0.5 * scoreParams[0] * scoreParams[0];
#else
  return 1;
#endif
}

// Offset and strides of a tensor [batch][head][row][headDim], in elements. The elements of a row are contiguous.
typedef struct {
  long offset, batchStride, headStride, rowStride;
} View;

// Offset and strides of a tensor [batch][head][query][key], in elements. A broadcast axis has stride 0.
typedef struct {
  long offset, batchStride, headStride, queryStride, keyStride;
} Cells;

// The arguments of one launch. A launch may compute a chunk of the problem, which begins at batchFrom, headFrom, queryFrom
// and keyFrom. Masks, ALiBi and dropout use indices of the whole problem. The host writes the fields in this order.
typedef struct {
  View query, key, value, output, dOut;
  Cells bias, cells, maskTiles; // cells of the mask; maskTiles: the cover of its MASK_TILE x MASK_TILE tiles, see mask.cl
  Cells spans;                  // spans of the mask, in pairs of ints; keyStride is unused
  long cellQueries, cellKeys;   // a cell of the mask has this many queries and keys; a dense mask 1 x 1
  long batches, heads, kvHeads, queries, keys, headDim, valueHeadDim;
  long batchFrom, headFrom, queryFrom, keyFrom; // headFrom is a query head
  long alibiOffset;                             // ALiBi subtracts slope * |i + alibiOffset - j|
  long seed, dropoutThreshold;                  // a random word below the threshold drops a weight; 0: no dropout
  long begins, ends;                            // whether this launch computes the first, and the last, chunk of its sums
  long rows;                                    // number of chosen rows or of splits, or a head: see the kernel
  long hasCells, hasSpans, hasBias, hasSlopes, hasSink, stage, modifies; // stage: see the kernel; modifies: for MODIFIED 2
  long scoreParamsStride; // distance of the parameters of two heads, in elements; 0 if all heads share them
  // An unnormalised weight is 2^((score - rowMax) * factor). score * unit is the modified score for every MODIFIED.
  // dropoutScale is 1 / (1 - p), with the dropout probability p.
  real scale, factor, unit, softcap, dropoutScale;
} Call;

// The band of a batch entry: the least and the largest j - i that is attended, and the exclusive end of its keys.
typedef struct {
  int least, largest, end, unused;
} Band;

// The mask has a band, and optionally spans and cells, both in one buffer: spans are pairs of ints, first key and exclusive
// end, for each query; a cell is a byte, not 0 if its queries attend to its keys. A query attends to a key if all of them allow it.

// The span of query i; all keys if the mask has no spans.
inline int2 span(const Call* c, global const uchar* mask, long b, long h, int i) {
  if (!c->hasSpans) {
    return (int2)(0, INT_MAX);
  }
  return ((global const int2*)mask)[c->spans.offset + b * c->spans.batchStride + h * c->spans.headStride
                                    + (i - c->queryFrom) * c->spans.queryStride];
}

// Whether the cell of query i and key j is attended; the mask must have cells. Cells are counted from the launch's first cell.
inline bool cell(const Call* c, global const uchar* mask, long b, long h, int i, int j) {
  const int queries = (int)c->cellQueries, keys = (int)c->cellKeys;
  const int down = queries == 1 ? i - (int)c->queryFrom : i / queries - (int)c->queryFrom / queries;
  const int across = keys == 1 ? j - (int)c->keyFrom : j / keys - (int)c->keyFrom / keys;
  return mask[c->cells.offset + b * c->cells.batchStride + h * c->cells.headStride + down * c->cells.queryStride
              + across * c->cells.keyStride]
         != 0;
}

// Whether the mask lets query i attend to key j.
inline bool is_attended(const Call* c, Band band, global const uchar* mask, long b, long h, int i, int j) {
  const int distance = j - i;
  bool attended = distance >= band.least && distance <= band.largest && j < band.end;
  if (attended && c->hasSpans) {
    const int2 keys = span(c, mask, b, h, i);
    attended = j >= keys.x && j < keys.y;
  }
  if (attended && c->hasCells) {
    attended = cell(c, mask, b, h, i, j);
  }
  return attended;
}

#define MASK_TILE 64 // a tile of the mask has this many queries and this many keys

// The result of cover(), below, for spans and cells alone: 2 without both, 1 without their maskTiles.
inline int tile_cover(const Call* c, global const uchar* maskTiles, long b, long h, int i, int iEnd, int j, int jEnd) {
  if (!c->hasCells && !c->hasSpans) {
    return 2;
  }
  if (!maskTiles) {
    return 1;
  }
  bool none = true, all = true;
  global const uchar* head =
      maskTiles + c->maskTiles.offset + b * c->maskTiles.batchStride + h * c->maskTiles.headStride;
  for (long q = (i - c->queryFrom) / MASK_TILE; q <= (iEnd - 1 - c->queryFrom) / MASK_TILE; q++) {
    for (long k = (j - c->keyFrom) / MASK_TILE; k <= (jEnd - 1 - c->keyFrom) / MASK_TILE; k++) {
      const uchar coverage = head[q * c->maskTiles.queryStride + k * c->maskTiles.keyStride];
      none = none && coverage == 0;
      all = all && coverage == 2;
    }
  }
  return none ? 0 : all ? 2 : 1;
}

// For a tile of queries [i, iEnd) by keys [j, jEnd): 0 if all cells are masked, 2 if all are attended, 1 if both may occur.
inline int cover(const Call* c, Band band, global const uchar* maskTiles, long b, long h, int i, int iEnd, int j,
                 int jEnd) {
  const int nearest = j - (iEnd - 1);
  const int farthest = jEnd - 1 - i;
  if (nearest > band.largest || farthest < band.least || j >= band.end) {
    return 0;
  }
  const int tiles = tile_cover(c, maskTiles, b, h, i, iEnd, j, jEnd);
  const bool inside = nearest >= band.least && farthest <= band.largest && jEnd <= band.end;
  return tiles == 0 ? 0 : inside && tiles == 2 ? 2 : 1;
}

// The result of cover() for the queries [i, iEnd) of `heads` heads from h on, without maskTiles: tests the span of each query.
inline int cover_of_rows(const Call* c, Band band, global const uchar* mask, long b, long h, long heads, int i, int iEnd,
                         int j, int jEnd) {
  const int covered = cover(c, band, 0, b, h, i, iEnd, j, jEnd);
  bool none = c->hasSpans && covered == 1;
  for (long n = h; n < h + heads && none; n++) {
    for (int query = i; query < iEnd && none; query++) {
      const int2 keys = span(c, mask, b, n, query);
      none = max(keys.x, j) >= min(keys.y, jEnd);
    }
  }
  return none ? 0 : covered;
}

// The range [x, y) of this launch's keys that the band includes for any of the queries [i, iEnd). x is rounded down, so that
// x - keyFrom is a multiple of `step`.
inline int2 attended_keys(const Call* c, Band band, int i, int iEnd, int step) {
  const int keyEnd = (int)(c->keyFrom + c->keys);
  const int end = min(min(keyEnd, band.end), (int)min((long)iEnd + band.largest, (long)INT_MAX));
  const int least = max(i + band.least, (int)c->keyFrom) - (int)c->keyFrom;
  return (int2)((int)c->keyFrom + least / step * step, end);
}

// The modified score: scale, then softcap, then bias and ALiBi. A bias of minus infinity masks the key, even if s is NaN.
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
    const real added = bias[c->bias.offset + b * c->bias.batchStride + h * c->bias.headStride
                            + (i - c->queryFrom) * c->bias.queryStride + (j - c->keyFrom) * c->bias.keyStride];
    s = added == -INFINITY ? added : s + added;
  }
  if (c->hasSlopes && slope != 0) {
    s -= slope * (real)abs(i + (int)c->alibiOffset - j);
  }
#endif
  return s;
}

// Defines philox for a type WORDS of one or more 32-bit words: Philox 4x32-10 (Salmon et al. 2011), which replaces the
// counter (key / 4, query, head, batch) in *x0 ... *x3 with four random words.
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

// The factor of a weight under dropout: 0 if it is dropped, else 1 / (1 - p).
inline real dropout_factor(const Call* c, long b, long h, int i, int j) {
  uint x0 = (uint)j >> 2, x1 = (uint)i, x2 = (uint)(h + c->headFrom), x3 = (uint)(b + c->batchFrom);
  philox(&x0, &x1, &x2, &x3, (ulong)c->seed);
  const int which = j & 3;
  const uint word = which == 0 ? x0 : which == 1 ? x1 : which == 2 ? x2 : x3;
  return word < (ulong)c->dropoutThreshold ? 0 : c->dropoutScale;
}

// The statistics of a row whose keys are all read: LSE, inverse row sum, weight of the sink. The weight of a key is
// accurate_exp2((score - rowMax) * factor) * inverse.
typedef struct {
  real lse, inverse, sink, max, sum;
} RowStats;

// Computes the statistics from row maximum and row sum, and includes the sink. A row without attended keys has inverse 0;
// its LSE is the sink, or minus infinity if there is no sink. `max` is the maximum of the modified scores and `sum` the sum of
// e^(score - max), sink included; if the maximum is rounded, the sum is adjusted to the rounded maximum.
inline RowStats finish_row(const Call* c, real rowMax, real rowSum, real sink) {
  RowStats row;
  const bool empty = rowSum == 0;
  const real scaledMax = empty ? -INFINITY : rowMax * c->unit;
  const bool hasSink = c->hasSink && sink != -INFINITY;
  const bool sinkIsMax = hasSink && (empty || sink > scaledMax);
  row.max = sinkIsMax ? sink : scaledMax;
  const real above = fma(rowMax, c->unit, -row.max); // a rounding error if the sink is not the maximum; a sum absorbs e^64
  const real rescale = empty ? 0 : sinkIsMax || fabs(above) < 64 ? exp(above) : 1;
  const real sinkTerm = hasSink ? exp(sink - row.max) : 0;
  row.sum = fma(rowSum, rescale, sinkTerm);
  row.lse = empty && !hasSink ? -INFINITY : row.max + log(row.sum);
  row.inverse = empty ? 0 : hasSink ? rescale / row.sum : 1 / rowSum;
  row.sink = !hasSink ? 0 : empty ? 1 : sinkTerm / row.sum;
  return row;
}

// Writes the statistics of row n: `to` holds the LSEs of all rows, then their maxima, then their sums.
inline void store_statistics(const Call* c, RowStats row, long n, global real* to) {
  const long rows = c->batches * c->heads * c->queries;
  to[n] = row.lse;
  to[rows + n] = row.max;
  to[2 * rows + n] = row.sum;
}

#endif
