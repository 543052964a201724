// Prefill on a GPU: attention of many queries. A work-group computes BM queries of one head and COLUMNS columns of the
// output. It reads the keys in tiles of BN and rescales its sums once per tile (online softmax).
//
//   sums         [batch][head][query][valueHeadDim]    sums of weighted values between launches
//   stateBefore  [batch][head][query][2]               row maximum and row sum of earlier chunks, a copy of `state`
//   state        [batch][head][query][2]               row maximum and (inverse) row sum, see below
//   output       [batch][head][query][valueHeadDim]    with the offset and strides in c.output
//   lse          [3][batch][head][query], LSE, row maximum and row sum
//
// If the keys come in chunks, `sums` and `state` (row maximum, row sum) keep the partial attention states between launches.
// The launch of the last chunk writes `output` and `lse`, and stores row maximum and inverse row sum in `state`.
//
// Groups of ITEMS work-items: blocks of queries in reverse order, because under a causal mask the last blocks attend to the
// most keys, then batch entries and heads, then column blocks of the values (innermost). -D options: as for tiles.h.
#include "tiles.h"

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void prefill_tiles(
    const Call c, global const element* query, global const element* key, global const element* value,
    global element* output, global real* sums, global const real* stateBefore, global real* state, global real* lse,
    global const Band* bands, global const uchar* mask, global const uchar* maskTiles, global const real* bias,
    global const real* slopes, global const real* sinks, global const real* scoreParams) {
  local real staged[STAGED_ELEMENTS], weights[BN * BMP], scratch[TX * BM];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.queries + BM - 1) / BM, heads = c.batches * c.heads;
  const long columnBlocks = (c.valueHeadDim + COLUMNS - 1) / COLUMNS;
  const long task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * COLUMNS;
  const long bh = task % heads, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.kvHeads);
  const int first = (int)(blocks - 1 - task / heads) * BM;
  const int queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  const TileRows queryRows =
      tile_rows(c.query.offset + b * c.query.batchStride + h * c.query.headStride + first * c.query.rowStride,
                c.query.rowStride, queries);
  global real* stats = state + (bh * c.queries + first) * 2;
  global const real* earlier =
      stateBefore + (bh * c.queries + first) * 2; // the group of another column block may have written `state`
  global real* savedSums = sums + (bh * c.queries + first) * c.valueHeadDim;

  real scores[RM][RN], out[RM][CO], rowMax[RM], itemSum[RM], rowSum[RM];
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    const bool continues = !c.begins && row < queries;
    rowMax[m] = continues ? earlier[2 * row] : EMPTY_MAX;
    itemSum[m] = continues && tx == 0 ? earlier[2 * row + 1] : 0;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      out[m][o] = continues && column < c.valueHeadDim ? savedSums[row * c.valueHeadDim + column] : 0;
    }
  }

  const int2 range = attended_keys(&c, band, i, i + queries, BN);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  for (int j = range.x; j < range.y; j += BN) {
    const int keys = min(BN, keyEnd - j);
    const int covered = cover(&c, band, maskTiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue; // covered is equal for all work-items of the group
    }
    const long row = j - c.keyFrom;
    pair_scores(query, queryRows, key,
                tile_rows(c.key.offset + b * c.key.batchStride + kh * c.key.headStride + row * c.key.rowStride,
                          c.key.rowStride, keys),
                (int)c.headDim, scoreParams + h * c.scoreParamsStride, staged, item, scores);
    if (MODIFIED || covered == 1 || keys < BN) {
      modify_and_mask(&c, band, mask, bias, slope, b, h, i, queries, j, keys, covered, item, scores);
    }
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
      UNROLL
      for (int o = 0; o < CO; o++) {
        out[m][o] *= rescale;
      }
      UNROLL
      for (int n = 0; n < RN; n++) {
        real p = accurate_exp2((scores[m][n] - rowMax[m]) * c.factor);
        itemSum[m] += p;
        if (c.dropoutThreshold > 0) {
          p *= dropout_factor(&c, b, h, i + ty * RM + m, j + tx * RN + n);
        }
        weights[(tx * RN + n) * BMP + ty * RM + m] = p;
      }
    }
    const bool skipZeros = covered == 1 || c.hasBias || c.dropoutThreshold > 0;
    pool(weights, value,
         tile_rows(c.value.offset + b * c.value.batchStride + kh * c.value.headStride + row * c.value.rowStride,
                   c.value.rowStride, keys),
         (int)c.valueHeadDim, columnFrom, skipZeros, staged, item, out);
  }

  sum_rows(itemSum, scratch, item, rowSum);
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    if (row >= queries) {
      continue;
    }
    const RowStats ended = finish_row(&c, rowMax[m], rowSum[m], c.hasSink ? sinks[h] : 0);
    if (tx == 0 && columnFrom == 0) {
      stats[2 * row] = rowMax[m];
      stats[2 * row + 1] = c.ends ? ended.inverse : rowSum[m];
      if (c.ends) {
        store_statistics(&c, ended, bh * c.queries + first + row, lse);
      }
    }
    const long offset =
        c.output.offset + b * c.output.batchStride + h * c.output.headStride + (first + row) * c.output.rowStride;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      if (column < c.valueHeadDim && c.ends) {
        STORE(STORAGE, ended.inverse == 0 ? (real)0 : out[m][o] * ended.inverse, output, offset + column);
      } else if (column < c.valueHeadDim) {
        savedSums[row * c.valueHeadDim + column] = out[m][o];
      }
    }
  }
}
