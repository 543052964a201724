// Attention of many queries on a GPU: a work-group computes BM queries of one head, tile of keys by tile of keys, with one
// rescale of its sums a tile (online softmax).
#include "tiles.h"

// Groups: column blocks of the values, then heads, then blocks of queries from the last, whose causal rows are longest.
// `sums` and `before` (max, sum) hold what was read before where a launch continues; `state` receives the largest score
// and the inverse sum of every row when the launch ends.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void prefill_tiles(
    const Call c, global const element* query, global const element* key, global const element* value,
    global element* output, global real* sums, global const real* before, global real* state, global real* lse,
    global const Band* bands, global const uchar* dense, global const uchar* tiles, global const real* bias,
    global const real* slopes, global const real* sinks, global const real* meeting) {
  local real stage[STAGE], weights[BN * BMP], seen[TX * BM];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.queries + BM - 1) / BM, heads = c.batches * c.heads;
  const long columnBlocks = (c.valueWidth + COLUMNS - 1) / COLUMNS;
  const long task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * COLUMNS;
  const long bh = task % heads, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.keyHeads);
  const int first = (int)(blocks - 1 - task / heads) * BM;
  const int queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  const Rows queryRows = rows_of(c.query.at + b * c.query.batch + h * c.query.head + first * c.query.row, c.query.row,
                                 queries);
  global real* stats = state + (bh * c.queries + first) * 2;
  global const real* earlier = before + (bh * c.queries + first) * 2; // another group may have written `state` by now
  global real* kept = sums + (bh * c.queries + first) * c.valueWidth;

  real cells[RM][RN], out[RM][CO], most[RM], part[RM], sum[RM];
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    const bool goesOn = !c.begins && row < queries;
    most[m] = goesOn ? earlier[2 * row] : NOTHING;
    part[m] = goesOn && tx == 0 ? earlier[2 * row + 1] : 0;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      out[m][o] = goesOn && column < c.valueWidth ? kept[row * c.valueWidth + column] : 0;
    }
  }

  const int2 range = seen_keys(&c, band, i, i + queries, BN);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  for (int j = range.x; j < range.y; j += BN) {
    const int keys = min(BN, keyEnd - j);
    const int covered = cover(&c, band, tiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue; // the whole group does
    }
    const long row = j - c.keyFrom;
    meet(query, queryRows, key,
         rows_of(c.key.at + b * c.key.batch + kh * c.key.head + row * c.key.row, c.key.row, keys), (int)c.width,
         meeting + h * c.meetingHead, stage, item, cells);
    if (MODIFIED || covered == 1 || keys < BN) {
      modify(&c, band, dense, bias, slope, b, h, i, queries, j, keys, covered, item, cells);
    }
    real before[RM];
    UNROLL
    for (int m = 0; m < RM; m++) {
      before[m] = most[m];
    }
    raise(cells, seen, item, most);
    UNROLL
    for (int m = 0; m < RM; m++) {
      const real shrink = power((before[m] - most[m]) * c.factor);
      part[m] *= shrink;
      UNROLL
      for (int o = 0; o < CO; o++) {
        out[m][o] *= shrink;
      }
      UNROLL
      for (int n = 0; n < RN; n++) {
        real p = power((cells[m][n] - most[m]) * c.factor);
        part[m] += p;
        if (c.dropped > 0) {
          p *= survival(&c, b, h, i + ty * RM + m, j + tx * RN + n);
        }
        weights[(tx * RN + n) * BMP + ty * RM + m] = p;
      }
    }
    const bool guarded = covered == 1 || c.hasBias || c.dropped > 0;
    pool(weights, value, rows_of(c.value.at + b * c.value.batch + kh * c.value.head + row * c.value.row, c.value.row, keys),
         (int)c.valueWidth, columnFrom, guarded, stage, item, out);
  }

  total(part, seen, item, sum);
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    if (row >= queries) {
      continue;
    }
    const Row ended = finished(&c, most[m], sum[m], c.hasSink ? sinks[h] : 0);
    if (tx == 0 && columnFrom == 0) {
      stats[2 * row] = most[m];
      stats[2 * row + 1] = c.ends ? ended.inverse : sum[m];
      if (c.ends) {
        lse[bh * c.queries + first + row] = ended.lse;
      }
    }
    const long at = c.output.at + b * c.output.batch + h * c.output.head + (first + row) * c.output.row;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      if (column < c.valueWidth && c.ends) {
        STORE(STORAGE, ended.inverse == 0 ? (real)0 : out[m][o] * ended.inverse, output, at + column);
      } else if (column < c.valueWidth) {
        kept[row * c.valueWidth + column] = out[m][o];
      }
    }
  }
}
