// Backward pass of attention. S and P are recomputed from the inputs, in passes over the same tiles:
//
//   statistics       m, 1 / l, delta = sum P dP and the gradient of the sink, of every row
//   query_gradient   dS = P (dP - delta + dLse), dQ = scale dS K
//   key_gradients    dK = scale dS' Q, dV = P' dO, summed over all queries of the heads that share the keys, in order
//   score_gradients  dS of the modified scores, for the gradient of the bias
//   add_to_bias      adds dS to the gradient of the bias
//   add_to_sinks     sums the gradients of the sinks
//
// The inputs are query, key, value, dO (dOut), the gradient of the LSE (dLse), the mask, and the modifiers of the scores.
// Gradients of Q, K and V are sums of type `real`; the host rounds them to the storage type after the last chunk. If
// c.begins is 0, a launch adds to the results of the previous one: statistics and query_gradient read the keys in chunks,
// key_gradients reads the queries in chunks.
//
// If the score is not a product, dQ and dK are sums of dS times the derivative of the score with respect to each element of
// q or k. The pass query_gradient can then also write the gradient of scoreParams of each block of queries.
//
// delta is summed from the same P and dP that the later passes compute, not from O and dO: if one key has all the weight,
// dP - delta must be exactly 0. All passes compute bitwise equal scores and dP. If the forward result belongs to more keys,
// given.cl computes the statistics instead. A masked key adds nothing, even if its value is NaN.
//
// Groups have ITEMS work-items; a work-item computes RM x RN cells of a tile. -D options: as for tiles.h.
#include "tiles.h"

// The statistics of a query: m, 1 / l, delta, gradient of the LSE. Until the final chunk of keys is read, `inverse` is the
// row sum l so far, and `delta` is the sum of 2^(factor (S - m)) dP so far, without the factor 1 / l.
typedef struct {
  real rowMax, inverse, delta, dLse;
} Statistics;

// The derivative of the modified score with respect to the unmodified score: scale times the derivative of the softcap.
inline real softcap_derivative(const Call* c, real dot) {
#if MODIFIED
  if (c->softcap > 0) {
    const real t = accurate_tanh(dot * c->scale / c->softcap);
    return c->scale * (1 - t * t);
  }
#endif
  return c->scale;
}

#if SCORE_OP != DOT
// As pool, but with derivatives of the score instead of b: sums[m][o] += sum over k of weights[k][m] times the derivative of
// the term of own row m and other row k with respect to element columnFrom + tx + TX * o of the own row. dParams[o]
// receives the weighted derivatives with respect to the parameter, summed over k and m. A weight of 0 adds nothing.
inline void pool_derivatives(local const real* weights, global const element* own, TileRows ownRows,
                             global const element* other, TileRows otherRows, int width, int columnFrom,
                             global const real* scoreParams, local real* staged, int item, real sums[RM][CO],
                             real dParams[CO]) {
  const int tx = item % TX, ty = item / TX;
  real x[RM][CO], factor[CO];
  UNROLL
  for (int o = 0; o < CO; o++) {
    const int column = columnFrom + tx + TX * o;
    factor[o] = column >= width ? 0 : PER_ELEMENT ? scoreParams[column] : scoreParams[0] * scoreParams[0];
    UNROLL
    for (int m = 0; m < RM; m++) {
      const int row = ty * RM + m;
      x[m][o] = row < ownRows.count && column < width
                    ? LOAD(STORAGE, own, ownRows.offset + row * ownRows.rowStride + column)
                    : 0;
    }
  }
  for (int k0 = 0; k0 < BN; k0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_columns(other, otherRows, width, columnFrom, k0, staged, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < DEPTH; k++) {
      UNROLL_ON_GPU
      for (int m = 0; m < RM; m++) {
        const real p = weights[(k0 + k) * BMP + ty * RM + m];
        if (p == 0) {
          continue;
        }
        UNROLL_ON_GPU
        for (int o = 0; o < CO; o++) {
          const real y = staged[k * COLUMNS + tx + TX * o];
#if SCORE_OP == TANH
          const real t = accurate_tanh(x[m][o] + y);
          sums[m][o] = fma(p * factor[o], fma(-t, t, (real)1), sums[m][o]);
          dParams[o] = fma(p, t, dParams[o]);
#else
          const real difference = y - x[m][o];
          sums[m][o] = fma(p * factor[o], difference, sums[m][o]);
          dParams[o] = fma(-p * scoreParams[0] * difference, difference, dParams[o]);
#endif
        }
      }
    }
  }
}
#endif

// Groups: batch entries and heads, then blocks of BM queries (innermost). dSinkRows [batch][head][query] receives the
// gradient of the sink of each row. c.stage is 1 if there is a dLse.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void statistics(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* dOut, global const real* dLse, global Statistics* to, global real* dSinkRows,
    global const Band* bands, global const uchar* mask, global const uchar* maskTiles, global const real* bias,
    global const real* slopes, global const real* sinks, global const real* scoreParams) {
  local real staged[STAGED_ELEMENTS], scratch[TX * BM];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.queries + BM - 1) / BM;
  const long bh = get_group_id(0) / blocks, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.kvHeads);
  const int first = (int)(get_group_id(0) % blocks) * BM, queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  const TileRows queryRows =
      tile_rows(c.query.offset + b * c.query.batchStride + h * c.query.headStride + first * c.query.rowStride,
                c.query.rowStride, queries);
  const TileRows dOutRows =
      tile_rows(c.dOut.offset + b * c.dOut.batchStride + h * c.dOut.headStride + first * c.dOut.rowStride,
                c.dOut.rowStride, queries);
  real scores[RM][RN], dProb[RM][RN], rowMax[RM], itemSum[RM], delta[RM], rowSum[RM], rowDelta[RM];
  UNROLL
  for (int m = 0; m < RM; m++) {
    rowMax[m] = EMPTY_MAX;
    itemSum[m] = 0;
    delta[m] = 0;
    if (!c.begins && ty * RM + m < queries) {
      const Statistics before = to[bh * c.queries + first + ty * RM + m];
      rowMax[m] = before.rowMax;
      itemSum[m] = tx == 0 ? before.inverse : 0;
      delta[m] = tx == 0 ? before.delta : 0;
    }
  }
  const int2 range = attended_keys(&c, band, i, i + queries, BN);
  for (int j = range.x; j < range.y; j += BN) {
    const int keys = (int)min((long)BN, c.keyFrom + c.keys - j);
    const int covered = cover(&c, band, maskTiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long row = j - c.keyFrom;
    pair_scores(query, queryRows, key,
                tile_rows(c.key.offset + b * c.key.batchStride + kh * c.key.headStride + row * c.key.rowStride,
                          c.key.rowStride, keys),
                (int)c.headDim, scoreParams + h * c.scoreParamsStride, staged, item, scores);
    modify_and_mask(&c, band, mask, bias, slope, b, h, i, queries, j, keys, covered, item, scores);
    product(dOut, dOutRows, value,
            tile_rows(c.value.offset + b * c.value.batchStride + kh * c.value.headStride + row * c.value.rowStride,
                      c.value.rowStride, keys),
            (int)c.valueHeadDim, staged, item, dProb);
    real oldMax[RM];
    UNROLL
    for (int m = 0; m < RM; m++) {
      oldMax[m] = rowMax[m];
    }
    update_row_max(scores, scratch, item, rowMax);
    UNROLL
    for (int m = 0; m < RM; m++) {
      const real rescale = accurate_exp2((oldMax[m] - rowMax[m]) * c.factor);
      itemSum[m] *= rescale;
      delta[m] *= rescale;
      UNROLL
      for (int n = 0; n < RN; n++) {
        const real p = accurate_exp2((scores[m][n] - rowMax[m]) * c.factor);
        itemSum[m] += p;
        const real dropout = c.dropoutThreshold > 0 ? dropout_factor(&c, b, h, i + ty * RM + m, j + tx * RN + n) : 1;
        if (p != 0 && dropout != 0) {
          delta[m] = fma(p, dProb[m][n] * dropout, delta[m]);
        }
      }
    }
  }
  sum_rows(itemSum, scratch, item, rowSum);
  sum_rows(delta, scratch, item, rowDelta);
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    if (row >= queries || tx != 0) {
      continue;
    }
    const long offset = bh * c.queries + first + row;
    Statistics s;
    s.rowMax = rowMax[m];
    if (!c.ends) {
      s.inverse = rowSum[m];
      s.delta = rowDelta[m];
      s.dLse = 0;
      to[offset] = s;
      continue;
    }
    const RowStats ended = finish_row(&c, rowMax[m], rowSum[m], c.hasSink ? sinks[h] : 0);
    s.inverse = ended.inverse;
    s.delta = ended.inverse == 0 ? 0 : rowDelta[m] * ended.inverse;
    s.dLse = c.stage != 0 ? dLse[offset] : 0;
    to[offset] = s;
    if (c.hasSink) {
      dSinkRows[offset] = ended.sink * (s.dLse - s.delta);
    }
  }
}

// Replaces S in `scores` with P after dropout, and dP in `dScores` with dS, for queries from `i` on and keys from `j` on. If
// byKey, the rows of a tile are keys. If `scaled`, dS is the gradient of the unmodified score, else of the modified score.
inline void softmax_backward(const Call* c, Band band, global const uchar* mask, global const real* bias, real slope,
                             global const Statistics* stats, long b, long h, int i, int queries, int j, int keys,
                             bool byKey, bool scaled, int item, real scores[RM][RN], real dScores[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL_ON_GPU
  for (int m = 0; m < RM; m++) {
    UNROLL_ON_GPU
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      const int q = byKey ? column : row, k = byKey ? row : column;
      real p = 0, dScore = 0;
      if (q < queries && k < keys) {
        const real s = modified(c, scores[m][n], bias, slope, b, h, i + q, j + k);
        if (s != -INFINITY && is_attended(c, band, mask, b, h, i + q, j + k)) {
          const Statistics rowStats = stats[q];
          const real dropout = c->dropoutThreshold > 0 ? dropout_factor(c, b, h, i + q, j + k) : 1;
          const real x = (s - rowStats.rowMax) * c->factor;
          p = accurate_exp2(x > 64 ? 64 : x) * rowStats.inverse; // a score may exceed a given maximum by rounding
          p = p > 1 ? 1 : p;
          if (p != 0) {
            const real dProb = dropout == 0 ? 0 : dScores[m][n] * dropout;
            dScore = p * (dProb - rowStats.delta + rowStats.dLse);
            dScore *= scaled ? softcap_derivative(c, scores[m][n]) : 1;
          }
          p *= dropout;
        }
      }
      scores[m][n] = p;
      dScores[m][n] = dScore;
    }
  }
}

// Number of rows whose contributions to a gradient are summed in registers. The blocks are then added in memory, so that rounding
// errors do not grow with the length of a sum.
#define SUM_ROWS 256

// Adds a block of sums to rows of `to`, or writes it if it `begins` them, and clears it. Row m of the work-item begins at element
// `offset` + (ty * RM + m) * stride.
inline void end_block(real sums[RM][CO], global real* to, long offset, long stride, int rows, int columnFrom, long columns,
                      bool begins, int item) {
  const int tx = item % TX, ty = item / TX;
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      if (row < rows && column < columns) {
        const long n = offset + row * stride + column;
        to[n] = begins ? sums[m][o] : to[n] + sums[m][o];
      }
      sums[m][o] = 0;
    }
  }
}

// Groups: batch entries and heads, then blocks of BM queries, then column blocks of headDim (innermost). If the score is not
// a product and c.stage is 1, dParamBlocks [batch][head][block][headDim] receives the gradient of scoreParams of each block
// of queries.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void query_gradient(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* dOut, global const Statistics* stats, global real* to, global const Band* bands,
    global const uchar* mask, global const uchar* maskTiles, global const real* bias, global const real* slopes,
    global const real* scoreParams, global real* dParamBlocks) {
  local real staged[STAGED_ELEMENTS], weights[BN * BMP];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.queries + BM - 1) / BM, columnBlocks = (c.headDim + COLUMNS - 1) / COLUMNS;
  const long task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * COLUMNS;
  const long bh = task / blocks, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.kvHeads);
  const int first = (int)(task % blocks) * BM, queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  const TileRows queryRows =
      tile_rows(c.query.offset + b * c.query.batchStride + h * c.query.headStride + first * c.query.rowStride,
                c.query.rowStride, queries);
  const TileRows dOutRows =
      tile_rows(c.dOut.offset + b * c.dOut.batchStride + h * c.dOut.headStride + first * c.dOut.rowStride,
                c.dOut.rowStride, queries);
  real scores[RM][RN], dScores[RM][RN], dQuery[RM][CO], dParams[CO];
  UNROLL
  for (int o = 0; o < CO; o++) {
    dParams[o] = 0;
  }
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int o = 0; o < CO; o++) {
      dQuery[m][o] = 0;
    }
  }
  const long offset =
      c.output.offset + b * c.output.batchStride + h * c.output.headStride + first * c.output.rowStride;
  bool begins = c.begins != 0;
  int inBlock = 0;
  const int2 range = attended_keys(&c, band, i, i + queries, BN);
  for (int j = range.x; j < range.y; j += BN) {
    const int keys = (int)min((long)BN, c.keyFrom + c.keys - j);
    const int covered = cover(&c, band, maskTiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    if (inBlock >= SUM_ROWS) {
      end_block(dQuery, to, offset, c.output.rowStride, queries, columnFrom, c.headDim, begins, item);
      begins = false;
      inBlock = 0;
    }
    inBlock += keys;
    const long row = j - c.keyFrom;
    const TileRows keyRows = tile_rows(
        c.key.offset + b * c.key.batchStride + kh * c.key.headStride + row * c.key.rowStride, c.key.rowStride, keys);
    pair_scores(query, queryRows, key, keyRows, (int)c.headDim, scoreParams + h * c.scoreParamsStride, staged, item,
                scores);
    product(dOut, dOutRows, value,
            tile_rows(c.value.offset + b * c.value.batchStride + kh * c.value.headStride + row * c.value.rowStride,
                      c.value.rowStride, keys),
            (int)c.valueHeadDim, staged, item, dScores);
    softmax_backward(&c, band, mask, bias, slope, stats + bh * c.queries + first, b, h, i, queries, j, keys, false,
                     true, item, scores, dScores);
    UNROLL
    for (int m = 0; m < RM; m++) {
      UNROLL
      for (int n = 0; n < RN; n++) {
        weights[(tx * RN + n) * BMP + ty * RM + m] = dScores[m][n];
      }
    }
#if SCORE_OP == DOT
    pool(weights, key, keyRows, (int)c.headDim, columnFrom, true, staged, item, dQuery);
#else
    pool_derivatives(weights, query, queryRows, key, keyRows, (int)c.headDim, columnFrom,
                     scoreParams + h * c.scoreParamsStride, staged, item, dQuery, dParams);
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
  }
#if SCORE_OP != DOT
  for (int o = 0; c.stage != 0 && o < CO; o++) {
    const int column = columnFrom + tx + TX * o;
    barrier(CLK_LOCAL_MEM_FENCE);
    weights[item] = dParams[o];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (ty == 0 && column < c.headDim) {
      const long n = (bh * blocks + task % blocks) * c.headDim + column;
      real sum = c.begins ? 0 : dParamBlocks[n];
      for (int t = 0; t < TY; t++) {
        sum += weights[t * TX + tx];
      }
      dParamBlocks[n] = sum;
    }
  }
#endif
  end_block(dQuery, to, offset, c.output.rowStride, queries, columnFrom, c.headDim, begins, item);
}

// keyTo [batch][kv head][key][headDim] and valueTo [batch][kv head][key][valueHeadDim], contiguous. Groups: batch entries
// and key/value heads, then blocks of BM keys, then column blocks of the larger of headDim and valueHeadDim (innermost).
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void key_gradients(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* dOut, global const Statistics* stats, global real* keyTo, global real* valueTo,
    global const Band* bands, global const uchar* mask, global const uchar* maskTiles, global const real* bias,
    global const real* slopes, global const real* scoreParams) {
  local real staged[STAGED_ELEMENTS], weights[BN * BMP];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.keys + BM - 1) / BM, columnBlocks = (max(c.headDim, c.valueHeadDim) + COLUMNS - 1) / COLUMNS;
  const long task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * COLUMNS;
  const long bk = task / blocks, b = bk / c.kvHeads, kh = bk % c.kvHeads, group = c.heads / c.kvHeads;
  const int first = (int)(task % blocks) * BM, keys = (int)min((long)BM, c.keys - first);
  const int j = first + (int)c.keyFrom;
  const Band band = bands[b];
  const TileRows keyRows = tile_rows(
      c.key.offset + b * c.key.batchStride + kh * c.key.headStride + first * c.key.rowStride, c.key.rowStride, keys);
  const TileRows valueRows =
      tile_rows(c.value.offset + b * c.value.batchStride + kh * c.value.headStride + first * c.value.rowStride,
                c.value.rowStride, keys);
  real scores[RM][RN], dScores[RM][RN], dKey[RM][CO], dValue[RM][CO];
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int o = 0; o < CO; o++) {
      dKey[m][o] = 0;
      dValue[m][o] = 0;
    }
  }
  const long keyOffset = (bk * c.keys + first) * c.headDim, valueOffset = (bk * c.keys + first) * c.valueHeadDim;
  bool begins = c.begins != 0;
  int inBlock = 0;
  for (long h = kh * group; h < (kh + 1) * group; h++) {
    const real slope = c.hasSlopes ? slopes[h] : 0;
    for (int q = 0; q < c.queries; q += BN) {
      const int queries = (int)min((long)BN, c.queries - q), i = q + (int)c.queryFrom;
      if (cover(&c, band, maskTiles, b, h, i, i + queries, j, j + keys) == 0) {
        continue;
      }
      if (inBlock >= SUM_ROWS) {
        end_block(dKey, keyTo, keyOffset, c.headDim, keys, columnFrom, c.headDim, begins, item);
        end_block(dValue, valueTo, valueOffset, c.valueHeadDim, keys, columnFrom, c.valueHeadDim, begins, item);
        begins = false;
        inBlock = 0;
      }
      inBlock += queries;
      const TileRows queryRows =
          tile_rows(c.query.offset + b * c.query.batchStride + h * c.query.headStride + q * c.query.rowStride,
                    c.query.rowStride, queries);
      const TileRows dOutRows =
          tile_rows(c.dOut.offset + b * c.dOut.batchStride + h * c.dOut.headStride + q * c.dOut.rowStride,
                    c.dOut.rowStride, queries);
      pair_scores(key, keyRows, query, queryRows, (int)c.headDim, scoreParams + h * c.scoreParamsStride, staged, item,
                  scores);
      product(value, valueRows, dOut, dOutRows, (int)c.valueHeadDim, staged, item, dScores);
      softmax_backward(&c, band, mask, bias, slope, stats + (b * c.heads + h) * c.queries + q, b, h, i, queries, j,
                       keys, true, true, item, scores, dScores);
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          weights[(tx * RN + n) * BMP + ty * RM + m] = scores[m][n];
        }
      }
      pool(weights, dOut, dOutRows, (int)c.valueHeadDim, columnFrom, true, staged, item, dValue);
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          weights[(tx * RN + n) * BMP + ty * RM + m] = dScores[m][n];
        }
      }
#if SCORE_OP == DOT
      pool(weights, query, queryRows, (int)c.headDim, columnFrom, true, staged, item, dKey);
#else
      real ignored[CO];
      UNROLL
      for (int o = 0; o < CO; o++) {
        ignored[o] = 0;
      }
      pool_derivatives(weights, key, keyRows, query, queryRows, (int)c.headDim, columnFrom,
                       scoreParams + h * c.scoreParamsStride, staged, item, dKey, ignored);
#endif
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  end_block(dKey, keyTo, keyOffset, c.headDim, keys, columnFrom, c.headDim, begins, item);
  end_block(dValue, valueTo, valueOffset, c.valueHeadDim, keys, columnFrom, c.valueHeadDim, begins, item);
}

// `to` [slab][query][key], contiguous: slab n is head c.rows + n of all heads [batch][head]. Groups: slabs, then blocks of
// BM queries, then tiles of BN keys (innermost).
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void score_gradients(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* dOut, global const Statistics* stats, global real* to, global const Band* bands,
    global const uchar* mask, global const real* bias, global const real* slopes, global const real* scoreParams) {
  local real staged[STAGED_ELEMENTS];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long keyTiles = (c.keys + BN - 1) / BN, blocks = (c.queries + BM - 1) / BM;
  const long slab = get_group_id(0) / keyTiles / blocks, bh = c.rows + slab;
  const long b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.kvHeads);
  const int first = (int)(get_group_id(0) / keyTiles % blocks) * BM, from = (int)(get_group_id(0) % keyTiles) * BN;
  const int queries = (int)min((long)BM, c.queries - first), keys = (int)min((long)BN, c.keys - from);
  const int i = first + (int)c.queryFrom, j = from + (int)c.keyFrom;
  real scores[RM][RN], dScores[RM][RN];
  pair_scores(query,
              tile_rows(c.query.offset + b * c.query.batchStride + h * c.query.headStride + first * c.query.rowStride,
                        c.query.rowStride, queries),
              key,
              tile_rows(c.key.offset + b * c.key.batchStride + kh * c.key.headStride + from * c.key.rowStride,
                        c.key.rowStride, keys),
              (int)c.headDim, scoreParams + h * c.scoreParamsStride, staged, item, scores);
  product(dOut,
          tile_rows(c.dOut.offset + b * c.dOut.batchStride + h * c.dOut.headStride + first * c.dOut.rowStride,
                    c.dOut.rowStride, queries),
          value,
          tile_rows(c.value.offset + b * c.value.batchStride + kh * c.value.headStride + from * c.value.rowStride,
                    c.value.rowStride, keys),
          (int)c.valueHeadDim, staged, item, dScores);
  softmax_backward(&c, bands[b], mask, bias, c.hasSlopes ? slopes[h] : 0, stats + bh * c.queries + first, b, h, i,
                   queries, j, keys, false, false, item, scores, dScores);
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      if (row < queries && column < keys) {
        to[(slab * c.queries + first + row) * c.keys + from + column] = dScores[m][n];
      }
    }
  }
}

// Adds dScores [slab][query][key] to `sums`, the contiguous gradient of a bias [s0][s1][s2][s3] in which an axis of size 1
// is broadcast. The slabs are the heads [firstHead, firstHead + slabs) of all heads [batch][head]. Sums are in order and
// compensated (Kahan); `compensations` keeps the rounding errors between launches. One work-item per element of the bias.
kernel void add_to_bias(global const real* dScores, global real* sums, global real* compensations, const long heads,
                        const long queries, const long keys, const long firstHead, const long slabs, const long s0,
                        const long s1, const long s2, const long s3) {
  const long n = get_global_id(0);
  if (n >= s0 * s1 * s2 * s3) {
    return;
  }
  const long j0 = n % s3, i0 = n / s3 % s2, h0 = n / s3 / s2 % s1, b0 = n / s3 / s2 / s1;
  real sum = sums[n], compensation = compensations[n];
  for (long slab = 0; slab < slabs; slab++) {
    const long bh = firstHead + slab;
    if ((s0 > 1 && bh / heads != b0) || (s1 > 1 && bh % heads != h0)) {
      continue;
    }
    for (long i = s2 > 1 ? i0 : 0; i < (s2 > 1 ? i0 + 1 : queries); i++) {
      for (long j = s3 > 1 ? j0 : 0; j < (s3 > 1 ? j0 + 1 : keys); j++) {
        const real x = dScores[(slab * queries + i) * keys + j] - compensation;
        const real next = sum + x;
        compensation = (next - sum) - x;
        sum = next;
      }
    }
  }
  sums[n] = sum;
  compensations[n] = compensation;
}

// sums[head] = sum of `rows` [batch][head][query] over batch entries and queries, in order, with compensated summation
// (Kahan). One work-item per head.
kernel void add_to_sinks(global const real* rows, global real* sums, const long batches, const long heads,
                         const long queries) {
  const long h = get_global_id(0);
  if (h >= heads) {
    return;
  }
  real sum = 0, compensation = 0;
  for (long b = 0; b < batches; b++) {
    for (long i = 0; i < queries; i++) {
      const real x = rows[(b * heads + h) * queries + i] - compensation;
      const real next = sum + x;
      compensation = (next - sum) - x;
      sum = next;
    }
  }
  sums[h] = sum;
}
