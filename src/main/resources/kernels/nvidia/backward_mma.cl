// Gradients of an attention on matrix units, for f16 and bf16, recomputed from the inputs as backward.cl does, in passes of one
// shape: a work-group owns rows, 16 a warp, and the rows that they meet come in tiles of KEYS.
//
//   PASS         own rows      tiles         what stays in registers
//   STATISTICS   Q, dO         K, V          max, sum and delta = sum P dP of every query
//   QUERY        Q, dO         K, V          dQ  = scale dS K, with dS = P (dP - delta + dLse)
//   KEY          K, V          Q, dO         dK  = scale dS' Q, dV = P' dO, over all queries that share the keys, in their order
//   SCORE        Q, dO         K, V          nothing: dS is written, for the bias
//
// A pass is a program of its own. Every sum has one owner and one order, so the bits repeat. All passes add up a product in the
// order of the width, so that scores and dP have the same bits in each, whichever of the two operands owns its rows.
#include "score.h"
#include "nvidia/mma.h"
#include "nvidia/strange.h"

#define STATISTICS 1
#define QUERY 2
#define KEY 3
#define SCORE 4
#ifndef PASS
#define PASS KEY
#endif
#ifndef D // numbers of a query and a key in a tile; what the width leaves is zeros
#define D 64
#endif
#ifndef DV // and of a value
#define DV 64
#endif
#ifndef WARPS
#define WARPS 4
#endif
#ifndef BLOCKS // of columns of the gradients; a work-group computes one
#define BLOCKS 1
#endif
#ifndef KEYS // rows of a tile
#define KEYS 32
#endif
#ifndef STAGES // 2: the next tiles come while one of each is computed with
#define STAGES 2
#endif
#ifndef WHOLE // whether the widths are those of the tiles
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)
#define BM (WARPS * 16)
#define SUMMED (PASS == QUERY || PASS == KEY) // whether gradients stay in registers
#define DX (SUMMED ? D / BLOCKS : 16)         // columns of dQ and dK that a group computes
#define DY (PASS == KEY ? DV / BLOCKS : 16)   // and of dV
#define FIRST_BYTES (KEYS * D * 2)
#define SECOND_BYTES (KEYS * DV * 2)
#define ROW_BYTES 16 // statistics of a query, which come with its row
#define STAGE_BYTES (FIRST_BYTES + SECOND_BYTES + (PASS == KEY ? KEYS * ROW_BYTES : 0))
#define TILE_BYTES (STAGES * STAGE_BYTES)
#define ACROSS(width) (BM * (width) * 2 <= TILE_BYTES ? (width) : (width) % 64 == 0 ? 64 : 32) // of rows on their way to registers
// Whether the second of the own rows, V or dO, wait in local memory: in registers they and the sums do not leave enough.
#define KEPT ((D + DV) / 4 + (DX + DY) / 2 > 176)
#define ALL_BYTES (TILE_BYTES + KEPT * BM * DV * 2)
#define MARKS (BM * KEYS / 32)
#if D % 32 != 0 || DV % 32 != 0 || KEYS % 16 != 0 || DX % 16 != 0 || DY % 16 != 0
#error "tiles are whole blocks"
#endif
#include "nvidia/rows.h"

// Own rows to registers, by way of the tiles.
INLINE void take_rows(Warp w, uint base, global const ushort* from, long row, int count, int width, int columns, int across,
                      uint (*got)[4]) {
  UNROLL
  for (int d0 = 0; d0 < columns; d0 += across) {
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_rows(w, base, from + d0, row, count, BM, width - d0, across);
    commit_copies();
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int k = 0; k < across / 16; k++) {
      load_matrices(w, base + place(w.warp * 16 + w.lane % 16, 2 * k + w.lane / 16, across / EIGHT), got[d0 / 16 + k]);
    }
  }
}

// cells += own rows times the rows of a tile: block k of the width.
INLINE void meet_block(Warp w, const uint mine[4], uint tile, int k, int chunks, float cells[KEYS / 8][4]) {
  UNROLL
  for (int n = 0; n < KEYS / 16; n++) {
    uint pair[4];
    load_matrices(w, tile + place(n * 16 + w.lane % 8 + w.lane / 16 * 8, 2 * k + w.lane / 8 % 2, chunks), pair);
    UNROLL
    for (int side = 0; side < 2; side++) {
      multiply(w, mine, pair[2 * side], pair[2 * side + 1], cells[2 * n + side]);
    }
  }
}

// sums += weights times the rows of a tile, columns from chunk `first` on.
INLINE void pool(Warp w, float cells[KEYS / 8][4], uint tile, int first, int chunks, int columns, float (*sums)[4]) {
  converge();
  UNROLL
  for (int k = 0; k < KEYS / 16; k++) {
    uint p[4];
    UNROLL
    for (int e = 0; e < 4; e++) {
      p[e] = pack(cells[2 * k + e / 2][e % 2 * 2], cells[2 * k + e / 2][e % 2 * 2 + 1]);
    }
    UNROLL
    for (int n = 0; n < columns / 16; n++) {
      uint pair[4];
      load_transposed(w, tile + place(k * 16 + w.lane % 16, first + 2 * n + w.lane / 16, chunks), pair);
      UNROLL
      for (int side = 0; side < 2; side++) {
        multiply(w, p, pair[2 * side], pair[2 * side + 1], sums[2 * n + side]);
      }
    }
  }
}

// A weight of zero hides whatever it weighs, and a matrix unit does not know that: numbers that are infinite or NaN are added
// here, where they weigh anything, and become zeros in the tile. `marks`: which weights are not zero, then which are negative;
// a weight that is NaN spoils its row anyhow. `offset` counts bytes from the tiles' begin.
INLINE void add_strange(Warp w, uint offset, int first, int all, int columns, local uint* marks, local int* flag,
                        float cells[KEYS / 8][4], float (*sums)[4]) {
  bool mine = false;
  for (int x = w.item; x < KEYS * all; x += ITEMS) {
    mine = mine || is_strange(w.tiles[offset / 2 + x]);
  }
  if (!any_item(w, mine, flag)) {
    return;
  }
  for (int x = w.item; x < 2 * MARKS; x += ITEMS) {
    marks[x] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int row = w.warp * 16 + w.lane / 4; // of this item's rows
  UNROLL
  for (int n = 0; n < KEYS / 8; n++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      const int bit = (row + e / 2 * 8) * KEYS + n * 8 + w.lane % 4 * 2 + e % 2;
      if (cells[n][e] != 0) {
        atomic_or(marks + bit / 32, 1u << bit % 32);
      }
      if (cells[n][e] < 0) {
        atomic_or(marks + MARKS + bit / 32, 1u << bit % 32);
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int key = 0; key < KEYS; key++) {
    const int k = opaque(key);
    UNROLL
    for (int n = 0; n < columns / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        const ushort bits = w.tiles[(offset + place(k, first + n, all / EIGHT)) / 2 + w.lane % 4 * 2 + e % 2];
        const int bit = (row + e / 2 * 8) * KEYS + k;
        if (is_strange(bits) && marks[bit / 32] >> bit % 32 & 1) {
          const float size = (bits & ~SIGN) == EXPONENT ? INFINITY : NAN;
          sums[n][e] += (bits >> 15 ^ marks[MARKS + bit / 32] >> bit % 32) & 1 ? -size : size;
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.item; x < KEYS * all; x += ITEMS) {
    if (is_strange(w.tiles[offset / 2 + x])) {
      w.tiles[offset / 2 + x] = 0;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// The score after what modifies it, and what its gradient meets on the way back to the product, but the scale.
INLINE float modify(const Call* c, float dot, global const real* bias, real slope, long b, long h, int i, int j, float* back) {
  *back = 1;
#if MODIFIED
  if (c->softcap > 0) {
    const float t = tangent(dot * c->scale / c->softcap);
    *back = 1 - t * t;
  }
#endif
  return modified(c, dot, bias, slope, b, h, i, j);
}

// Turns the products of own rows, the first of which is number `own` of the queries, or by key of the keys, with the rows of a
// tile into scores, minus infinity where hidden or where there is no row; where they are hidden dP becomes 0, and elsewhere, if
// there is a softcap, `cap` what the gradient is multiplied with.
INLINE void hide(const Call* c, Warp w, Band band, global const uchar* dense, global const real* bias, real slope, long b,
                 long h, int own, int rows, int other, int count, int covered, float cells[KEYS / 8][4],
                 float flow[KEYS / 8][4], float cap[KEYS / 8][4]) {
  UNROLL
  for (int e = 0; e < 4; e++) {
    const int row = w.warp * 16 + w.lane / 4 + e / 2 * 8, column = w.lane % 4 * 2 + e % 2;
    const int apart = own + row - other;
    int near = 0, far = row < rows ? count : 0;
    if (PASS == KEY && covered == 1) {
      near = apart - band.largest;
      far = own + row < band.end ? min(far, apart - band.least + 1) : 0;
    } else if (covered == 1) {
      near = apart + band.least;
      far = min(far, min(own + row + band.largest + 1, band.end) - other);
    }
    near -= column;
    far -= column;
    UNROLL
    for (int n = 0; n < KEYS / 8; n++) {
      const int i = PASS == KEY ? other + n * 8 + column : own + row, j = PASS == KEY ? own + row : other + n * 8 + column;
      bool seen = n * 8 >= near && n * 8 < far;
      if (c->hasDense && covered == 1 && seen) {
        seen = takes_part(c, band, dense, b, h, i, j);
      }
#if MODIFIED
      if (seen) {
        cells[n][e] = modify(c, cells[n][e], bias, slope, b, h, i, j, &cap[n][e]);
        seen = cells[n][e] != -INFINITY;
      }
#endif
      cells[n][e] = seen ? cells[n][e] : -INFINITY;
      flow[n][e] = seen ? flow[n][e] : 0;
    }
  }
}

// What follows from the number of an item is computed again from here on: kept, it takes the registers of sums.
#define AGAIN w = warp_of(staged, met, opaque(w.item))

// Groups: column blocks of the gradients, then heads (of the keys, where keys are own rows), then blocks of own rows, those
// first whose causal rows are longest. Of one head, number c.rows, in the pass of the scores. Gradients of keys and values lie
// without gaps, [batch][key head][key][width]. `sinkRows` receives each row's part of the gradient of its sink.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void backward_mma(
    const Call c, global const ushort* query, global const ushort* key, global const ushort* value,
    global const ushort* outputGradient, global const real* lseGradient, global float4* of, global real* sinkRows,
    global real* to, global real* valueTo, global const Band* bands, global const uchar* dense, global const uchar* tiles,
    global const real* bias, global const real* slopes, global const real* sinks) {
  local ushort staged[ALL_BYTES / 2] __attribute__((aligned(128)));
  local float met[MET_WORDS];
  local uint marks[2 * MARKS];
  local int flag;
  Warp w = warp_of(staged, met, (int)get_local_id(0));
  const uint base = origin(w);
  const long columnBlocks = SUMMED ? BLOCKS : 1, task = get_group_id(0) / columnBlocks;
  const int block = (int)(get_group_id(0) % columnBlocks);
  const long group = c.heads / c.keyHeads, all = PASS == KEY ? c.keys : c.queries, ownBlocks = (all + BM - 1) / BM;
  const long heads = PASS == SCORE ? 1 : c.batches * (PASS == KEY ? c.keyHeads : c.heads);
  const long head = PASS == SCORE ? c.rows : task % heads;
  const int b = (int)(head / (PASS == KEY ? c.keyHeads : c.heads));
  const int kh = (int)(PASS == KEY ? head % c.keyHeads : head % c.heads / group);
  int h = (int)(PASS == KEY ? kh * group : head % c.heads);
  const int lastHead = PASS == KEY ? h + (int)group - 1 : h;
  const int first = (int)(PASS == KEY ? task / heads : ownBlocks - 1 - task / heads) * BM;
  const int rows = (int)min((long)BM, all - first);
  const int own = first + (int)(PASS == KEY ? c.keyFrom : c.queryFrom), far = (int)(PASS == KEY ? c.queryFrom : c.keyFrom);
  const int others = (int)(PASS == KEY ? c.queries : c.keys);
  const Band band = bands[b];
  const int width = (int)c.width, valueWidth = (int)c.valueWidth;
  query += c.query.at + b * c.query.batch;
  outputGradient += c.outputGradient.at + b * c.outputGradient.batch;
  key += c.key.at + b * c.key.batch + kh * c.key.head;
  value += c.value.at + b * c.value.batch + kh * c.value.head;
  of += (long)b * c.heads * c.queries;
  if (w.item == 0) {
    flag = 0;
  }

  uint x[D / 16][4], y[KEPT ? 1 : DV / 16][4];
  if (PASS == KEY) {
    take_rows(w, base, key + first * c.key.row, c.key.row, rows, width, D, ACROSS(D), x);
  } else {
    take_rows(w, base, query + h * c.query.head + first * c.query.row, c.query.row, rows, width, D, ACROSS(D), x);
  }
  global const ushort* second = PASS == KEY ? value + first * c.value.row
                                            : outputGradient + h * c.outputGradient.head + first * c.outputGradient.row;
  const long secondRow = PASS == KEY ? c.value.row : c.outputGradient.row;
#if KEPT
  copy_rows(w, base + TILE_BYTES, second, secondRow, rows, BM, valueWidth, DV);
  commit_copies();
#else
  take_rows(w, base, second, secondRow, rows, valueWidth, DV, ACROSS(DV), y);
#endif
  barrier(CLK_LOCAL_MEM_FENCE);

  float sums[DX / 8][4], valueSums[DY / 8][4];
  UNROLL
  for (int e = 0; e < 4; e++) {
    UNROLL
    for (int n = 0; n < DX / 8; n++) {
      sums[n][e] = 0;
    }
    UNROLL
    for (int n = 0; n < DY / 8; n++) {
      valueSums[n][e] = 0;
    }
  }
  // Of own queries; while the statistics are summed up `inverse` is this item's part of the sum, `delta` that of its products.
  float most[2], inverse[2], delta[2];
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.warp * 16 + w.lane / 4 + r * 8;
    most[r] = PASS == STATISTICS ? NOTHING : 0;
    inverse[r] = 0;
    delta[r] = 0;
    const bool known = PASS == STATISTICS ? !c.begins : PASS != KEY;
    if (known && row < rows) {
      const float4 found = of[h * c.queries + first + row];
      const bool mine = PASS != STATISTICS || w.lane % 4 == 0;
      most[r] = found.x;
      inverse[r] = mine ? found.y : 0;
      delta[r] = mine ? found.z - found.w : 0;
    }
  }

  // Tiles [t, end) of each head, counted from this launch's first row.
  int begin, end;
  if (PASS == SCORE) {
    begin = 0;
    end = others;
  } else if (PASS == KEY) {
    begin = max(0, own - band.largest - far) / KEYS * KEYS;
    end = min(others, own + rows - band.least - far);
  } else {
    const int2 range = seen_keys(&c, band, own, own + rows, KEYS);
    begin = range.x - far;
    end = range.y - far;
  }
  int t = begin, covered = 0, stage = 0;
#define SEEK(head_, t_, covered_) \
  while (head_ <= lastHead) { \
    if (t_ >= end) { \
      head_++; \
      t_ = begin < end ? begin : INT_MAX; \
    } else if ((covered_ = PASS == KEY \
                    ? cover(&c, band, tiles, opaque(b), head_, far + t_, far + min(t_ + KEYS, others), own, own + rows) \
                    : cover(&c, band, tiles, opaque(b), head_, own, own + rows, far + t_, far + min(t_ + KEYS, others))) \
                   != 0 \
               || PASS == SCORE) { \
      break; \
    } else { \
      t_ += KEYS; \
    } \
  }
#define COPY(head_, t_, stage_) \
  { \
    const int count_ = min(KEYS, others - t_); \
    const uint tile_ = base + (stage_) * STAGE_BYTES; \
    if (PASS == KEY) { \
      copy_rows(w, tile_, query + head_ * c.query.head + t_ * c.query.row, c.query.row, count_, KEYS, width, D); \
      copy_rows(w, tile_ + FIRST_BYTES, outputGradient + head_ * c.outputGradient.head + t_ * c.outputGradient.row, \
                c.outputGradient.row, count_, KEYS, valueWidth, DV); \
      if (w.item < KEYS) { \
        copy_chunk(w, tile_ + FIRST_BYTES + SECOND_BYTES + w.item * ROW_BYTES, \
                   (global const ushort*)(of + head_ * c.queries + t_ + (w.item < count_ ? w.item : 0)), \
                   w.item < count_ ? ROW_BYTES : 0); \
      } \
    } else { \
      copy_rows(w, tile_, key + t_ * c.key.row, c.key.row, count_, KEYS, width, D); \
      copy_rows(w, tile_ + FIRST_BYTES, value + t_ * c.value.row, c.value.row, count_, KEYS, valueWidth, DV); \
    } \
  }
  SEEK(h, t, covered)
  if (h <= lastHead) {
    COPY(h, t, 0)
  }
  commit_copies();
  while (h <= lastHead) {
    AGAIN;
    const int count = min(KEYS, others - t);
    const uint firstTile = base + stage * STAGE_BYTES, secondTile = firstTile + FIRST_BYTES;
    int nextHead = h, next = t + KEYS, nextCovered = 0;
    SEEK(nextHead, next, nextCovered)
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    if (STAGES == 2 && nextHead <= lastHead) {
      COPY(nextHead, next, 1 - stage)
    }
    commit_copies();

    float cells[KEYS / 8][4], flow[KEYS / 8][4], cap[KEYS / 8][4];
    UNROLL
    for (int n = 0; n < KEYS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        cells[n][e] = 0;
        flow[n][e] = 0;
        cap[n][e] = 1;
      }
    }
    UNROLL
    for (int k = 0; k < D / 16; k++) {
      meet_block(w, x[k], firstTile, k, D / EIGHT, cells);
    }
    AGAIN;
    UNROLL
    for (int k = 0; k < DV / 16; k++) {
#if KEPT
      uint mine[4];
      load_matrices(
          w, base + TILE_BYTES + place(w.warp * 16 + w.lane % 16, 2 * k + w.lane / 16, DV / EIGHT), mine);
      meet_block(w, mine, secondTile, k, DV / EIGHT, flow);
#else
      meet_block(w, y[k], secondTile, k, DV / EIGHT, flow);
#endif
    }
    const int fewest = PASS == KEY ? 0 : KEYS; // rows of queries that are not there weigh nothing as they are
    const bool partial = MODIFIED || covered != 2 || count < fewest;
    if (partial) {
      const real slope = c.hasSlopes ? slopes[h] : 0;
      hide(&c, w, band, dense, bias, slope, opaque(b), h, opaque(own), rows, far + t, count, covered == 0 ? 1 : covered,
           cells, flow, cap);
    }

    if (PASS == STATISTICS) {
      UNROLL
      for (int r = 0; r < 2; r++) {
        float larger = -INFINITY; // a NaN is passed over; it spoils its own sum
        UNROLL
        for (int n = 0; n < KEYS / 8; n++) {
          larger = fmax(larger, fmax(cells[n][2 * r], cells[n][2 * r + 1]));
        }
        UNROLL
        for (int mask = 1; mask <= 2; mask++) {
          larger = fmax(larger, from_lane(w, larger, mask));
        }
        if (larger > most[r]) {
          const float shrink = two_to((most[r] - larger) * c.factor);
          most[r] = larger;
          inverse[r] *= shrink;
          delta[r] *= shrink;
        }
        UNROLL
        for (int n = 0; n < KEYS / 8; n++) {
          UNROLL
          for (int e = 2 * r; e < 2 * r + 2; e++) {
            const float p = two_to((cells[n][e] - most[r]) * c.factor);
            inverse[r] += p;
            delta[r] = p != 0 ? fma(p, flow[n][e], delta[r]) : delta[r];
          }
        }
      }
    } else {
      UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          float largest = most[e / 2], inverted = inverse[e / 2], less = delta[e / 2];
          if (PASS == KEY) {
            const float4 row = ((local const float4*)(w.tiles + (stage * STAGE_BYTES + FIRST_BYTES + SECOND_BYTES) / 2))
                [n * 8 + w.lane % 4 * 2 + e % 2];
            largest = row.x;
            inverted = row.y;
            less = row.z - row.w;
          }
          const bool seen = !partial || cells[n][e] != -INFINITY;
          const float p = seen ? two_to((cells[n][e] - largest) * c.factor) * inverted : 0;
          cells[n][e] = p;
          flow[n][e] = partial && p == 0 ? 0 : p * (flow[n][e] - less);
        }
      }
    }
    if (PASS == SCORE) {
      UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          const int row = w.warp * 16 + w.lane / 4 + e / 2 * 8, column = n * 8 + w.lane % 4 * 2 + e % 2;
          if (row < rows && column < count) {
            to[(long)(first + row) * c.keys + t + column] = flow[n][e];
          }
        }
      }
    }
#if MODIFIED && (PASS == QUERY || PASS == KEY)
    UNROLL
    for (int n = 0; n < KEYS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        flow[n][e] = flow[n][e] == 0 ? 0 : flow[n][e] * cap[n][e];
      }
    }
#endif
    if (PASS == KEY) {
      AGAIN;
      if (covered == 1 || c.hasBias) {
        add_strange(w, secondTile - base, block * DY / EIGHT, DV, DY, marks, &flag, cells, valueSums);
      }
      pool(w, cells, secondTile, block * DY / EIGHT, DV / EIGHT, DY, valueSums);
    }
    if (SUMMED) {
      AGAIN;
      if (covered == 1 || c.hasBias) {
        add_strange(w, firstTile - base, block * DX / EIGHT, D, DX, marks, &flag, flow, sums);
      }
      pool(w, flow, firstTile, block * DX / EIGHT, D / EIGHT, DX, sums);
    }
    if (STAGES == 1) {
      barrier(CLK_LOCAL_MEM_FENCE);
      if (nextHead <= lastHead) {
        COPY(nextHead, next, 0)
      }
      commit_copies();
    }
    stage = STAGES == 2 ? 1 - stage : 0;
    h = nextHead;
    t = next;
    covered = nextCovered;
  }

  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.warp * 16 + w.lane / 4 + r * 8;
    if (PASS == STATISTICS) {
      float sum = inverse[r], flows = delta[r];
      UNROLL
      for (int mask = 1; mask <= 2; mask++) {
        sum += from_lane(w, sum, mask);
        flows += from_lane(w, flows, mask);
      }
      const int ours = (int)(head % c.heads);
      const long n = ours * c.queries + first + row;
      if (row < rows && w.lane % 4 == 0) {
        if (c.ends) {
          const Row ended = finished(&c, most[r], sum, c.hasSink ? sinks[ours] : 0);
          const float less = ended.inverse == 0 ? 0 : flows * ended.inverse;
          const float lse = c.stage != 0 ? lseGradient[b * c.heads * c.queries + n] : 0;
          of[n] = (float4)(most[r], ended.inverse, less, lse);
          if (c.hasSink) {
            sinkRows[b * c.heads * c.queries + n] = ended.sink * (lse - less);
          }
        } else {
          of[n] = (float4)(most[r], sum, flows, 0);
        }
      }
    }
    if (SUMMED && row < rows) {
      const long at = PASS == KEY ? (head * c.keys + first + row) * c.width
                                  : c.output.at + b * c.output.batch + head % c.heads * c.output.head
                                        + (first + row) * c.output.row;
      UNROLL
      for (int n = 0; n < DX / 8; n++) {
        UNROLL
        for (int e = 0; e < 2; e++) {
          const int column = block * DX + n * 8 + w.lane % 4 * 2 + e;
          const float more = sums[n][2 * r + e] * c.scale;
          if (column < width) {
            to[at + column] = c.begins ? more : to[at + column] + more;
          }
        }
      }
    }
    if (PASS == KEY && row < rows) {
      const long at = (head * c.keys + first + row) * c.valueWidth;
      UNROLL
      for (int n = 0; n < DY / 8; n++) {
        UNROLL
        for (int e = 0; e < 2; e++) {
          const int column = block * DY + n * 8 + w.lane % 4 * 2 + e;
          const float more = valueSums[n][2 * r + e];
          if (column < valueWidth) {
            valueTo[at + column] = c.begins ? more : valueTo[at + column] + more;
          }
        }
      }
    }
  }
}
