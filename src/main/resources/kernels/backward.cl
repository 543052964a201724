// Gradients of an attention, recomputed from the inputs in three passes over the same tiles:
//
//   statistics   max, 1/sum and delta = sum P dP of every row
//   query        dS = P (dP - delta + dLse)         dQ = scale dS K
//   keys         dK = scale dS' Q, dV = P' dO       a block of keys, over all queries that share it, in their order
//
// Where queries and keys meet otherwise than by their product, dQ and dK add up its derivative, number by number of the
// width, from q and k; the pass over the queries also leaves each block's part of the gradient of `meeting`.
//
// A launch that does not begin its rows goes on from what the last one left: parts of the keys for statistics and dQ, parts
// of the queries for dK and dV. Gradients are sums in `real`; rounding to storage comes when all parts are in.
//
// delta is summed from the P and dP that meet it again, not from the output: where one key has all the weight it must
// cancel dP exactly. All passes compute a score and a dP with the same bits. A hidden key adds nothing, whatever it holds.
#include "tiles.h"

// What every pass knows of its rows: for each query max, inverse sum, delta, gradient of the LSE. Before the last keys are
// read, `inverse` is the sum so far and `delta` the sum of its products.
typedef struct {
  real most, inverse, delta, lse;
} Statistics;

inline real slope_of_cap(const Call* c, real dot) {
#if MODIFIED
  if (c->softcap > 0) {
    const real t = tangent(dot * c->scale / c->softcap);
    return c->scale * (1 - t * t);
  }
#endif
  return c->scale;
}

#if MEETING != DOT
// sums[m][o] += sum over k of weights[k][m] times the derivative of MEET at the column, own row m against other row k; params[o]
// that with respect to the number of `meeting`. A weight of 0 reads nothing.
inline void pool_flows(local const real* weights, global const element* own, Rows ownRows, global const element* other,
                       Rows otherRows, int width, int columnFrom, global const real* meeting, local real* stage, int item,
                       real sums[RM][CO], real params[CO]) {
  const int tx = item % TX, ty = item / TX;
  real x[RM][CO], factor[CO];
  UNROLL
  for (int o = 0; o < CO; o++) {
    const int column = columnFrom + tx + TX * o;
    factor[o] = column >= width ? 0 : PER_NUMBER ? meeting[column] : meeting[0] * meeting[0];
    UNROLL
    for (int m = 0; m < RM; m++) {
      const int row = ty * RM + m;
      x[m][o] = row < ownRows.count && column < width ? LOAD(STORAGE, own, ownRows.at + row * ownRows.row + column) : 0;
    }
  }
  for (int k0 = 0; k0 < BN; k0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_columns(other, otherRows, width, columnFrom, k0, stage, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < DEPTH; k++) {
      CELLS
      for (int m = 0; m < RM; m++) {
        const real p = weights[(k0 + k) * BMP + ty * RM + m];
        if (p == 0) {
          continue;
        }
        CELLS
        for (int o = 0; o < CO; o++) {
          const real y = stage[k * COLUMNS + tx + TX * o];
#if MEETING == TANH
          const real t = tangent(x[m][o] + y);
          sums[m][o] = fma(p * factor[o], fma(-t, t, (real)1), sums[m][o]);
          params[o] = fma(p, t, params[o]);
#else
          const real apart = y - x[m][o];
          sums[m][o] = fma(p * factor[o], apart, sums[m][o]);
          params[o] = fma(-p * meeting[0] * apart, apart, params[o]);
#endif
        }
      }
    }
  }
}
#endif

// One group a block of queries and head. `sinkRows` receives each row's part of the gradient of its sink.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void statistics(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* outputGradient, global const real* lseGradient, global Statistics* to, global real* sinkRows,
    global const Band* bands, global const uchar* dense, global const uchar* tiles, global const real* bias,
    global const real* slopes, global const real* sinks, global const real* meeting) {
  local real stage[STAGE], seen[TX * BM];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.queries + BM - 1) / BM;
  const long bh = get_group_id(0) / blocks, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.keyHeads);
  const int first = (int)(get_group_id(0) % blocks) * BM, queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  const Rows queryRows = rows_of(c.query.at + b * c.query.batch + h * c.query.head + first * c.query.row, c.query.row,
                                 queries);
  const Rows gradientRows = rows_of(c.outputGradient.at + b * c.outputGradient.batch + h * c.outputGradient.head
                                        + first * c.outputGradient.row, c.outputGradient.row, queries);
  real cells[RM][RN], flow[RM][RN], most[RM], part[RM], delta[RM], sum[RM], deltas[RM];
  UNROLL
  for (int m = 0; m < RM; m++) {
    most[m] = NOTHING;
    part[m] = 0;
    delta[m] = 0;
    if (!c.begins && ty * RM + m < queries) {
      const Statistics before = to[bh * c.queries + first + ty * RM + m];
      most[m] = before.most;
      part[m] = tx == 0 ? before.inverse : 0;
      delta[m] = tx == 0 ? before.delta : 0;
    }
  }
  const int2 range = seen_keys(&c, band, i, i + queries, BN);
  for (int j = range.x; j < range.y; j += BN) {
    const int keys = (int)min((long)BN, c.keyFrom + c.keys - j);
    const int covered = cover(&c, band, tiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long row = j - c.keyFrom;
    meet(query, queryRows, key,
         rows_of(c.key.at + b * c.key.batch + kh * c.key.head + row * c.key.row, c.key.row, keys), (int)c.width,
         meeting + h * c.meetingHead, stage, item, cells);
    modify(&c, band, dense, bias, slope, b, h, i, queries, j, keys, covered, item, cells);
    product(outputGradient, gradientRows, value,
            rows_of(c.value.at + b * c.value.batch + kh * c.value.head + row * c.value.row, c.value.row, keys),
            (int)c.valueWidth, stage, item, flow);
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
      delta[m] *= shrink;
      UNROLL
      for (int n = 0; n < RN; n++) {
        const real p = power((cells[m][n] - most[m]) * c.factor);
        part[m] += p;
        const real kept = c.dropped > 0 ? survival(&c, b, h, i + ty * RM + m, j + tx * RN + n) : 1;
        if (p != 0 && kept != 0) {
          delta[m] = fma(p, flow[m][n] * kept, delta[m]);
        }
      }
    }
  }
  total(part, seen, item, sum);
  total(delta, seen, item, deltas);
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    if (row >= queries || tx != 0) {
      continue;
    }
    const long at = bh * c.queries + first + row;
    Statistics s;
    s.most = most[m];
    if (!c.ends) {
      s.inverse = sum[m];
      s.delta = deltas[m];
      s.lse = 0;
      to[at] = s;
      continue;
    }
    const Row ended = finished(&c, most[m], sum[m], c.hasSink ? sinks[h] : 0);
    s.inverse = ended.inverse;
    s.delta = ended.inverse == 0 ? 0 : deltas[m] * ended.inverse;
    s.lse = c.stage != 0 ? lseGradient[at] : 0;
    to[at] = s;
    if (c.hasSink) {
      sinkRows[at] = ended.sink * (s.lse - s.delta);
    }
  }
}

// The tile of dS of queries from `i` on and keys from `j` on, rows and columns as the products give them; `byKey` where
// the keys are the rows. Leaves P, dropout included, in `cells` and dS in `flow`.
inline void flows(const Call* c, Band band, global const uchar* dense, global const real* bias, real slope,
                  global const Statistics* of, long b, long h, int i, int queries, int j, int keys, bool byKey,
                  bool scaled, int item, real cells[RM][RN], real flow[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  CELLS
  for (int m = 0; m < RM; m++) {
    CELLS
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      const int q = byKey ? column : row, k = byKey ? row : column;
      real p = 0, ds = 0;
      if (q < queries && k < keys) {
        const real s = modified(c, cells[m][n], bias, slope, b, h, i + q, j + k);
        if (s != -INFINITY && takes_part(c, band, dense, b, h, i + q, j + k)) {
          const Statistics row_ = of[q];
          const real kept = c->dropped > 0 ? survival(c, b, h, i + q, j + k) : 1;
          p = power((s - row_.most) * c->factor) * row_.inverse;
          if (p != 0) {
            const real dp = kept == 0 ? 0 : flow[m][n] * kept;
            ds = p * (dp - row_.delta + row_.lse);
            ds *= scaled ? slope_of_cap(c, cells[m][n]) : 1;
          }
          p *= kept;
        }
      }
      cells[m][n] = p;
      flow[m][n] = ds;
    }
  }
}

// Groups: column blocks of the width, then blocks of queries, then heads. `parts`, [batch][head][block][width], receives
// each block's part of the gradient of `meeting` where c.stage asks for it.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void query_gradient(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* outputGradient, global const Statistics* of, global real* to, global const Band* bands,
    global const uchar* dense, global const uchar* tiles, global const real* bias, global const real* slopes,
    global const real* meeting, global real* parts) {
  local real stage[STAGE], weights[BN * BMP];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.queries + BM - 1) / BM, columnBlocks = (c.width + COLUMNS - 1) / COLUMNS;
  const long task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * COLUMNS;
  const long bh = task / blocks, b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.keyHeads);
  const int first = (int)(task % blocks) * BM, queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  const Rows queryRows = rows_of(c.query.at + b * c.query.batch + h * c.query.head + first * c.query.row, c.query.row,
                                 queries);
  const Rows gradientRows = rows_of(c.outputGradient.at + b * c.outputGradient.batch + h * c.outputGradient.head
                                        + first * c.outputGradient.row, c.outputGradient.row, queries);
  real cells[RM][RN], flow[RM][RN], sums[RM][CO], params[CO];
  UNROLL
  for (int o = 0; o < CO; o++) {
    params[o] = 0;
  }
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int o = 0; o < CO; o++) {
      sums[m][o] = 0;
    }
  }
  const int2 range = seen_keys(&c, band, i, i + queries, BN);
  for (int j = range.x; j < range.y; j += BN) {
    const int keys = (int)min((long)BN, c.keyFrom + c.keys - j);
    const int covered = cover(&c, band, tiles, b, h, i, i + queries, j, j + keys);
    if (covered == 0) {
      continue;
    }
    const long row = j - c.keyFrom;
    const Rows keyRows = rows_of(c.key.at + b * c.key.batch + kh * c.key.head + row * c.key.row, c.key.row, keys);
    meet(query, queryRows, key, keyRows, (int)c.width, meeting + h * c.meetingHead, stage, item, cells);
    product(outputGradient, gradientRows, value,
            rows_of(c.value.at + b * c.value.batch + kh * c.value.head + row * c.value.row, c.value.row, keys),
            (int)c.valueWidth, stage, item, flow);
    flows(&c, band, dense, bias, slope, of + bh * c.queries + first, b, h, i, queries, j, keys, false, true, item, cells,
          flow);
    UNROLL
    for (int m = 0; m < RM; m++) {
      UNROLL
      for (int n = 0; n < RN; n++) {
        weights[(tx * RN + n) * BMP + ty * RM + m] = flow[m][n];
      }
    }
#if MEETING == DOT
    pool(weights, key, keyRows, (int)c.width, columnFrom, true, stage, item, sums);
#else
    pool_flows(weights, query, queryRows, key, keyRows, (int)c.width, columnFrom, meeting + h * c.meetingHead, stage, item,
               sums, params);
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
  }
#if MEETING != DOT
  for (int o = 0; c.stage != 0 && o < CO; o++) {
    const int column = columnFrom + tx + TX * o;
    barrier(CLK_LOCAL_MEM_FENCE);
    weights[item] = params[o];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (ty == 0 && column < c.width) {
      const long at = (bh * blocks + task % blocks) * c.width + column;
      real sum = c.begins ? 0 : parts[at];
      for (int t = 0; t < TY; t++) {
        sum += weights[t * TX + tx];
      }
      parts[at] = sum;
    }
  }
#endif
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    const long at = c.output.at + b * c.output.batch + h * c.output.head + (first + row) * c.output.row;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      if (row < queries && column < c.width) {
        to[at + column] = c.begins ? sums[m][o] : to[at + column] + sums[m][o];
      }
    }
  }
}

// Groups: column blocks of the wider of width and value width, then blocks of keys, then key heads. The gradients lie
// without gaps, [batch][key head][key][width].
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void key_gradients(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* outputGradient, global const Statistics* of, global real* keyTo, global real* valueTo,
    global const Band* bands, global const uchar* dense, global const uchar* tiles, global const real* bias,
    global const real* slopes, global const real* meeting) {
  local real stage[STAGE], weights[BN * BMP];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long blocks = (c.keys + BM - 1) / BM, columnBlocks = (max(c.width, c.valueWidth) + COLUMNS - 1) / COLUMNS;
  const long task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * COLUMNS;
  const long bk = task / blocks, b = bk / c.keyHeads, kh = bk % c.keyHeads, group = c.heads / c.keyHeads;
  const int first = (int)(task % blocks) * BM, keys = (int)min((long)BM, c.keys - first);
  const int j = first + (int)c.keyFrom;
  const Band band = bands[b];
  const Rows keyRows = rows_of(c.key.at + b * c.key.batch + kh * c.key.head + first * c.key.row, c.key.row, keys);
  const Rows valueRows = rows_of(c.value.at + b * c.value.batch + kh * c.value.head + first * c.value.row, c.value.row,
                                 keys);
  real cells[RM][RN], flow[RM][RN], keySums[RM][CO], valueSums[RM][CO];
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int o = 0; o < CO; o++) {
      keySums[m][o] = 0;
      valueSums[m][o] = 0;
    }
  }
  for (long h = kh * group; h < (kh + 1) * group; h++) {
    const real slope = c.hasSlopes ? slopes[h] : 0;
    for (int q = 0; q < c.queries; q += BN) {
      const int queries = (int)min((long)BN, c.queries - q), i = q + (int)c.queryFrom;
      if (cover(&c, band, tiles, b, h, i, i + queries, j, j + keys) == 0) {
        continue;
      }
      const Rows queryRows = rows_of(c.query.at + b * c.query.batch + h * c.query.head + q * c.query.row, c.query.row,
                                     queries);
      const Rows gradientRows = rows_of(c.outputGradient.at + b * c.outputGradient.batch + h * c.outputGradient.head
                                            + q * c.outputGradient.row, c.outputGradient.row, queries);
      meet(key, keyRows, query, queryRows, (int)c.width, meeting + h * c.meetingHead, stage, item, cells);
      product(value, valueRows, outputGradient, gradientRows, (int)c.valueWidth, stage, item, flow);
      flows(&c, band, dense, bias, slope, of + (b * c.heads + h) * c.queries + q, b, h, i, queries, j, keys, true, true,
            item, cells, flow);
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          weights[(tx * RN + n) * BMP + ty * RM + m] = cells[m][n];
        }
      }
      pool(weights, outputGradient, gradientRows, (int)c.valueWidth, columnFrom, true, stage, item, valueSums);
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          weights[(tx * RN + n) * BMP + ty * RM + m] = flow[m][n];
        }
      }
#if MEETING == DOT
      pool(weights, query, queryRows, (int)c.width, columnFrom, true, stage, item, keySums);
#else
      real ignored[CO];
      UNROLL
      for (int o = 0; o < CO; o++) {
        ignored[o] = 0;
      }
      pool_flows(weights, key, keyRows, query, queryRows, (int)c.width, columnFrom, meeting + h * c.meetingHead, stage,
                 item, keySums, ignored);
#endif
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  UNROLL
  for (int m = 0; m < RM; m++) {
    const int row = ty * RM + m;
    const long at = bk * c.keys + first + row;
    UNROLL
    for (int o = 0; o < CO; o++) {
      const int column = columnFrom + tx + TX * o;
      if (row < keys && column < c.width) {
        const long n = at * c.width + column;
        keyTo[n] = c.begins ? keySums[m][o] : keyTo[n] + keySums[m][o];
      }
      if (row < keys && column < c.valueWidth) {
        const long n = at * c.valueWidth + column;
        valueTo[n] = c.begins ? valueSums[m][o] : valueTo[n] + valueSums[m][o];
      }
    }
  }
}

// The gradients of the modified scores of heads [c.rows, c.rows + groups of heads), without gaps, for the bias.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void score_gradients(
    const Call c, global const element* query, global const element* key, global const element* value,
    global const element* outputGradient, global const Statistics* of, global real* to, global const Band* bands,
    global const uchar* dense, global const real* bias, global const real* slopes, global const real* meeting) {
  local real stage[STAGE];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long tiles = (c.keys + BN - 1) / BN, blocks = (c.queries + BM - 1) / BM;
  const long slab = get_group_id(0) / tiles / blocks, bh = c.rows + slab;
  const long b = bh / c.heads, h = bh % c.heads, kh = h / (c.heads / c.keyHeads);
  const int first = (int)(get_group_id(0) / tiles % blocks) * BM, from = (int)(get_group_id(0) % tiles) * BN;
  const int queries = (int)min((long)BM, c.queries - first), keys = (int)min((long)BN, c.keys - from);
  const int i = first + (int)c.queryFrom, j = from + (int)c.keyFrom;
  real cells[RM][RN], flow[RM][RN];
  meet(query, rows_of(c.query.at + b * c.query.batch + h * c.query.head + first * c.query.row, c.query.row, queries), key,
       rows_of(c.key.at + b * c.key.batch + kh * c.key.head + from * c.key.row, c.key.row, keys), (int)c.width,
       meeting + h * c.meetingHead, stage, item, cells);
  product(outputGradient, rows_of(c.outputGradient.at + b * c.outputGradient.batch + h * c.outputGradient.head
                                      + first * c.outputGradient.row, c.outputGradient.row, queries),
          value, rows_of(c.value.at + b * c.value.batch + kh * c.value.head + from * c.value.row, c.value.row, keys),
          (int)c.valueWidth, stage, item, flow);
  flows(&c, bands[b], dense, bias, c.hasSlopes ? slopes[h] : 0, of + bh * c.queries + first, b, h, i, queries, j, keys,
        false, false, item, cells, flow);
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      if (row < queries && column < keys) {
        to[(slab * c.queries + first + row) * c.keys + from + column] = flow[m][n];
      }
    }
  }
}

// Adds the cells of heads [firstHead, firstHead + slabs) that share an element of the bias to it, in their order, with the
// rounding errors carried along in `lost`. One item an element of a bias of shape [s0][s1][s2][s3] without gaps.
kernel void add_to_bias(global const real* cells, global real* sums, global real* lost, const long heads,
                        const long queries, const long keys, const long firstHead, const long slabs, const long s0,
                        const long s1, const long s2, const long s3) {
  const long n = get_global_id(0);
  if (n >= s0 * s1 * s2 * s3) {
    return;
  }
  const long j0 = n % s3, i0 = n / s3 % s2, h0 = n / s3 / s2 % s1, b0 = n / s3 / s2 / s1;
  real sum = sums[n], error = lost[n];
  for (long slab = 0; slab < slabs; slab++) {
    const long bh = firstHead + slab;
    if ((s0 > 1 && bh / heads != b0) || (s1 > 1 && bh % heads != h0)) {
      continue;
    }
    for (long i = s2 > 1 ? i0 : 0; i < (s2 > 1 ? i0 + 1 : queries); i++) {
      for (long j = s3 > 1 ? j0 : 0; j < (s3 > 1 ? j0 + 1 : keys); j++) {
        const real x = cells[(slab * queries + i) * keys + j] - error;
        const real next = sum + x;
        error = (next - sum) - x;
        sum = next;
      }
    }
  }
  sums[n] = sum;
  lost[n] = error;
}

// Sums the rows of [batch][head][query] into [head], in their order, with the rounding errors carried along.
kernel void add_to_sinks(global const real* rows, global real* sums, const long batches, const long heads,
                         const long queries) {
  const long h = get_global_id(0);
  if (h >= heads) {
    return;
  }
  real sum = 0, error = 0;
  for (long b = 0; b < batches; b++) {
    for (long i = 0; i < queries; i++) {
      const real x = rows[(b * heads + h) * queries + i] - error;
      const real next = sum + x;
      error = (next - sum) - x;
      sum = next;
    }
  }
  sums[h] = sum;
}
