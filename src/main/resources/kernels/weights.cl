// What a fused kernel throws away, computed once more for those who ask: weights of all rows or of chosen ones, scores at
// a stage, and the largest weights of each row.
#include "tiles.h"

#define WEIGHTS 0  // hidden keys weigh 0
#define SCORE 1
#define SOFTCAPPED 2
#define FINAL 3    // modified scores, minus infinity where hidden
#define RANKED 4   // weights to rank: those of hidden keys are -1

// Cells [batch][head][row][key] without gaps. Groups: tiles of keys, then blocks of rows, then heads.
// `chosen` names the query of each row where the call has c.rows of them.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void weights(
    const Call c, global const element* query, global const element* key, global real* to, global const real* state,
    global const int* chosen, global const Band* bands, global const uchar* dense, global const real* bias,
    global const real* slopes, global const real* meeting) {
  local real stage[STAGE];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long tiles = (c.keys + BN - 1) / BN, rows = c.rows > 0 ? c.rows : c.queries, blocks = (rows + BM - 1) / BM;
  const long bh = get_group_id(0) / tiles / blocks, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.keyHeads);
  const int first = (int)(get_group_id(0) / tiles % blocks) * BM, from = (int)(get_group_id(0) % tiles) * BN;
  const int j = from + (int)c.keyFrom, keys = (int)min((long)BN, c.keys - from);
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  Rows queryRows = rows_of(c.query.at + b * c.query.batch + h * c.query.head, c.query.row, min((long)BM, rows - first));
  if (c.rows > 0) {
    queryRows.chosen = chosen + first;
  } else {
    queryRows.at += first * c.query.row;
  }
  real cells[RM][RN];
  meet(query, queryRows, key,
       rows_of(c.key.at + b * c.key.batch + kh * c.key.head + from * c.key.row, c.key.row, keys), (int)c.width,
       meeting + h * c.meetingHead, stage, item, cells);
  CELLS
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    if (row >= queryRows.count) {
      continue;
    }
    const int q = c.rows > 0 ? chosen[first + row] : first + row;
    const int i = q + (int)c.queryFrom;
    global const real* stats = state + (bh * c.queries + q) * 2;
    CELLS
    for (int n = 0; n < RN; n++) {
      const int column = tx * RN + n;
      if (column >= keys) {
        continue;
      }
      real x = cells[m][n] * c.scale;
      if (c.stage == SOFTCAPPED && c.softcap > 0) {
        x = tangent(x / c.softcap) * c.softcap;
      } else if (c.stage != SCORE && c.stage != SOFTCAPPED) {
        const real s = modified(&c, cells[m][n], bias, slope, b, h, i, j + column);
        const bool part = takes_part(&c, band, dense, b, h, i, j + column) && s != -INFINITY;
        if (c.stage == FINAL) {
          x = part ? s * c.unit : -INFINITY;
        } else {
          x = part ? power((s - stats[0]) * c.factor) * stats[1] : c.stage == RANKED ? (real)-1 : (real)0;
        }
      }
      to[(bh * rows + first + row) * c.keys + from + column] = x;
    }
  }
}

#ifndef RANKERS
#define RANKERS 64
#endif

// The k largest of each row, the lower key first among equals; -1 and 0 where there are fewer. One group a row.
kernel __attribute__((reqd_work_group_size(RANKERS, 1, 1))) void largest(
    global const real* from, const long keys, const long k, global real* weightsTo, global long* keysTo) {
  local real bestOf[RANKERS];
  local long keyOf[RANKERS];
  const int item = (int)get_local_id(0);
  const long row = get_group_id(0);
  real last = INFINITY;
  long lastKey = -1;
  for (long n = 0; n < k; n++) {
    real best = -1;
    long bestKey = -1;
    for (long j = item; j < keys; j += RANKERS) {
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
    for (int apart = RANKERS / 2; apart > 0; apart /= 2) {
      if (item < apart) {
        const real w = bestOf[item + apart];
        const long other = keyOf[item + apart];
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
