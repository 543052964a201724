// Requested outputs that the fused kernels do not store, recomputed in a second pass.
//
//   weights  weights, or scores at a stage, of all rows or of chosen rows
//   largest  the k largest weights of each row and their keys
//
// -D options: as for tiles.h.
#include "tiles.h"

// Call.stage: the result that `weights` writes.
#define STAGE_WEIGHTS 0    // weights; 0 for masked keys
#define STAGE_SCORE 1      // scores times the scale
#define STAGE_SOFTCAPPED 2 // scores times the scale, after the softcap
#define STAGE_FINAL 3      // modified scores; minus infinity for masked keys
#define STAGE_RANKED 4     // weights for `largest`; -1 for masked keys

// `to` [batch][head][row][key], contiguous; `state` [batch][head][query][2]: row maximum and inverse row sum. If c.rows > 0,
// there are c.rows rows, and row n is query chosen[n]; else every query is a row. A group of ITEMS work-items
// computes BM rows by BN keys. Groups: batch entries and heads, then blocks of rows, then tiles of keys (innermost).
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void weights(
    const Call c, global const element* query, global const element* key, global real* to, global const real* state,
    global const int* chosen, global const Band* bands, global const uchar* mask, global const real* bias,
    global const real* slopes, global const real* scoreParams) {
  local real staged[STAGED_ELEMENTS];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long keyTiles = (c.keys + BN - 1) / BN, rows = c.rows > 0 ? c.rows : c.queries, blocks = (rows + BM - 1) / BM;
  const long bh = get_group_id(0) / keyTiles / blocks, b = bh / c.heads, h = bh % c.heads,
             kh = h / (c.heads / c.kvHeads);
  const int first = (int)(get_group_id(0) / keyTiles % blocks) * BM, from = (int)(get_group_id(0) % keyTiles) * BN;
  const int j = from + (int)c.keyFrom, keys = (int)min((long)BN, c.keys - from);
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  TileRows queryRows = tile_rows(c.query.offset + b * c.query.batchStride + h * c.query.headStride, c.query.rowStride,
                                 min((long)BM, rows - first));
  if (c.rows > 0) {
    queryRows.chosen = chosen + first;
  } else {
    queryRows.offset += first * c.query.rowStride;
  }
  real scores[RM][RN];
  pair_scores(query, queryRows, key,
              tile_rows(c.key.offset + b * c.key.batchStride + kh * c.key.headStride + from * c.key.rowStride,
                        c.key.rowStride, keys),
              (int)c.headDim, scoreParams + h * c.scoreParamsStride, staged, item, scores);
  UNROLL_ON_GPU
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    if (row >= queryRows.count) {
      continue;
    }
    const int q = c.rows > 0 ? chosen[first + row] : first + row;
    const int i = q + (int)c.queryFrom;
    global const real* stats = state + (bh * c.queries + q) * 2;
    UNROLL_ON_GPU
    for (int n = 0; n < RN; n++) {
      const int column = tx * RN + n;
      if (column >= keys) {
        continue;
      }
      real x = scores[m][n] * c.scale;
      if (c.stage == STAGE_SOFTCAPPED && c.softcap > 0) {
        x = accurate_tanh(x / c.softcap) * c.softcap;
      } else if (c.stage != STAGE_SCORE && c.stage != STAGE_SOFTCAPPED) {
        const real s = modified(&c, scores[m][n], bias, slope, b, h, i, j + column);
        const bool attended = is_attended(&c, band, mask, b, h, i, j + column) && s != -INFINITY;
        if (c.stage == STAGE_FINAL) {
          x = attended ? s * c.unit : -INFINITY;
        } else {
          x = attended                  ? accurate_exp2((s - stats[0]) * c.factor) * stats[1]
              : c.stage == STAGE_RANKED ? (real)-1
                                        : (real)0;
        }
      }
      to[(bh * rows + first + row) * c.keys + from + column] = x;
    }
  }
}

#ifndef RANK_ITEMS // work-items of a group of `largest`; a power of two
#define RANK_ITEMS 64
#endif

// The k largest weights of each row of `from` [row][key], in descending order; of equal weights, the lower key comes first.
// If a row has fewer attended keys, its remaining entries are key -1 and weight 0. One group per row.
kernel __attribute__((reqd_work_group_size(RANK_ITEMS, 1, 1))) void largest(global const real* from, const long keys,
                                                                            const long k, global real* weightsTo,
                                                                            global long* keysTo) {
  local real bestOf[RANK_ITEMS];
  local long keyOf[RANK_ITEMS];
  const int item = (int)get_local_id(0);
  const long row = get_group_id(0);
  real last = INFINITY;
  long lastKey = -1;
  for (long n = 0; n < k; n++) {
    real best = -1;
    long bestKey = -1;
    for (long j = item; j < keys; j += RANK_ITEMS) {
      const real w = from[row * keys + j];
      const bool next = w < last || (w == last && j > lastKey);
      if (next && w > best) {
        best = w;
        bestKey = j;
      }
    }
    bestOf[item] = best;
    keyOf[item] = bestKey;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int distance = RANK_ITEMS / 2; distance > 0; distance /= 2) {
      if (item < distance) {
        const real w = bestOf[item + distance];
        const long other = keyOf[item + distance];
        if (w > bestOf[item] || (w == bestOf[item] && other < keyOf[item])) {
          bestOf[item] = w;
          keyOf[item] = other;
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    last = bestOf[0];
    lastKey = keyOf[0];
    if (item == 0) {
      weightsTo[row * k + n] = lastKey < 0 ? 0 : last;
      keysTo[row * k + n] = lastKey;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}
