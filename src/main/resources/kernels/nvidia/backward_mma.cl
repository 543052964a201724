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
#include "nvidia/nonfinite.h"

#define PASS_STATISTICS 1
#define PASS_QUERY 2
#define PASS_KEY 3
#define PASS_SCORE 4
#ifndef PASS
#define PASS PASS_KEY
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
#ifndef COLUMN_BLOCKS // of columns of the gradients; a work-group computes one
#define COLUMN_BLOCKS 1
#endif
#ifndef TILE_ROWS // rows of a tile
#define TILE_ROWS 32
#endif
#ifndef STAGES // 2: the next tiles come while one of each is computed with
#define STAGES 2
#endif
#ifndef WHOLE // whether the widths are those of the tiles
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)
#define BM (WARPS * 16)
#define SUMS_GRADIENTS (PASS == PASS_QUERY || PASS == PASS_KEY) // whether gradients stay in registers
#define DX (SUMS_GRADIENTS ? D / COLUMN_BLOCKS : 16)         // columns of dQ and dK that a group computes
#define DY (PASS == PASS_KEY ? DV / COLUMN_BLOCKS : 16)   // and of dV
#define FIRST_BYTES (TILE_ROWS * D * 2)
#define SECOND_BYTES (TILE_ROWS * DV * 2)
#define STATISTICS_BYTES 16 // statistics of a query, which come with its row
#define STAGE_BYTES (FIRST_BYTES + SECOND_BYTES + (PASS == PASS_KEY ? TILE_ROWS * STATISTICS_BYTES : 0))
#define TILE_BYTES (STAGES * STAGE_BYTES)
#define STAGED_COLUMNS(width) (BM * (width) * 2 <= TILE_BYTES ? (width) : (width) % 64 == 0 ? 64 : 32) // of rows on their way to registers
// Whether the second of the own rows, V or dO, wait in local memory: in registers they and the sums do not leave enough.
#define SECOND_IN_LOCAL ((D + DV) / 4 + (DX + DY) / 2 > 176)
#define ALL_BYTES (TILE_BYTES + SECOND_IN_LOCAL * BM * DV * 2)
#define MARK_WORDS (BM * TILE_ROWS / 32)
#if D % 32 != 0 || DV % 32 != 0 || TILE_ROWS % 16 != 0 || DX % 16 != 0 || DY % 16 != 0
#error "tiles are whole blocks"
#endif
#include "nvidia/rows.h"

// Own rows to registers, by way of the tiles.
INLINE void load_own_rows(Warp w, uint base, global const ushort* from, long rowStride, int count, int width, int columns, int stagedColumns,
                      uint (*fragment)[4]) {
  UNROLL
  for (int d0 = 0; d0 < columns; d0 += stagedColumns) {
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_rows(w, base, from + d0, rowStride, count, BM, width - d0, stagedColumns);
    commit_copies();
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int k = 0; k < stagedColumns / 16; k++) {
      load_matrices(w, base + chunk_offset(w.warp * 16 + w.lane % 16, 2 * k + w.lane / 16, stagedColumns / PER_CHUNK_16), fragment[d0 / 16 + k]);
    }
  }
}

// cells += own rows times the rows of a tile: block k of the width.
INLINE void multiply_block(Warp w, const uint mine[4], uint tile, int k, int chunks, float cells[TILE_ROWS / 8][4]) {
  UNROLL
  for (int n = 0; n < TILE_ROWS / 16; n++) {
    uint pair[4];
    load_matrices(w, tile + chunk_offset(n * 16 + w.lane % 8 + w.lane / 16 * 8, 2 * k + w.lane / 8 % 2, chunks), pair);
    UNROLL
    for (int side = 0; side < 2; side++) {
      mma(w, mine, pair[2 * side], pair[2 * side + 1], cells[2 * n + side]);
    }
  }
}

// sums += weights times the rows of a tile, columns from chunk `first` on.
INLINE void pool(Warp w, float weights[TILE_ROWS / 8][4], uint tile, int first, int chunks, int columns, float (*sums)[4]) {
  converge();
  UNROLL
  for (int k = 0; k < TILE_ROWS / 16; k++) {
    uint p[4];
    UNROLL
    for (int e = 0; e < 4; e++) {
      p[e] = pack(weights[2 * k + e / 2][e % 2 * 2], weights[2 * k + e / 2][e % 2 * 2 + 1]);
    }
    UNROLL
    for (int n = 0; n < columns / 16; n++) {
      uint pair[4];
      load_transposed(w, tile + chunk_offset(k * 16 + w.lane % 16, first + 2 * n + w.lane / 16, chunks), pair);
      UNROLL
      for (int side = 0; side < 2; side++) {
        mma(w, p, pair[2 * side], pair[2 * side + 1], sums[2 * n + side]);
      }
    }
  }
}

// A weight of zero hides whatever it weighs, and a matrix unit does not know that: numbers that are infinite or NaN are added
// here, where they weigh anything, and become zeros in the tile. `marks`: which weights are not zero, then which are negative;
// a weight that is NaN spoils its row anyhow. `offset` counts bytes from the tiles' begin.
INLINE void add_nonfinite(Warp w, uint offset, int first, int all, int columns, local uint* marks, local int* flag,
                        float weights[TILE_ROWS / 8][4], float (*sums)[4]) {
  bool mine = false;
  for (int x = w.item; x < TILE_ROWS * all; x += ITEMS) {
    mine = mine || is_nonfinite(w.tiles[offset / 2 + x]);
  }
  if (!any_item(w, mine, flag)) {
    return;
  }
  for (int x = w.item; x < 2 * MARK_WORDS; x += ITEMS) {
    marks[x] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int row = w.warp * 16 + w.lane / 4; // of this item's rows
  UNROLL
  for (int n = 0; n < TILE_ROWS / 8; n++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      const int bit = (row + e / 2 * 8) * TILE_ROWS + n * 8 + w.lane % 4 * 2 + e % 2;
      if (weights[n][e] != 0) {
        atomic_or(marks + bit / 32, 1u << bit % 32);
      }
      if (weights[n][e] < 0) {
        atomic_or(marks + MARK_WORDS + bit / 32, 1u << bit % 32);
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int key = 0; key < TILE_ROWS; key++) {
    const int k = opaque(key);
    UNROLL
    for (int n = 0; n < columns / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        const ushort bits = w.tiles[(offset + chunk_offset(k, first + n, all / PER_CHUNK_16)) / 2 + w.lane % 4 * 2 + e % 2];
        const int bit = (row + e / 2 * 8) * TILE_ROWS + k;
        if (is_nonfinite(bits) && marks[bit / 32] >> bit % 32 & 1) {
          const float size = (bits & ~SIGN_BIT) == EXPONENT_BITS ? INFINITY : NAN;
          sums[n][e] += (bits >> 15 ^ marks[MARK_WORDS + bit / 32] >> bit % 32) & 1 ? -size : size;
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.item; x < TILE_ROWS * all; x += ITEMS) {
    if (is_nonfinite(w.tiles[offset / 2 + x])) {
      w.tiles[offset / 2 + x] = 0;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// The score after what modifies it, and what its gradient meets on the way back to the product, but the scale.
INLINE float modified_with_derivative(const Call* c, float dot, global const real* bias, real slope, long b, long h, int i, int j, float* derivative) {
  *derivative = 1;
#if MODIFIED
  if (c->softcap > 0) {
    const float t = accurate_tanh(dot * c->scale / c->softcap);
    *derivative = 1 - t * t;
  }
#endif
  return modified(c, dot, bias, slope, b, h, i, j);
}

// Turns the products of own rows, the first of which is number `own` of the queries, or by key of the keys, with the rows of a
// tile into scores, minus infinity where hidden or where there is no row; where they are hidden dP becomes 0, and elsewhere, if
// there is a softcap, `cap` what the gradient is multiplied with.
INLINE void modify_and_mask(const Call* c, Warp w, Band band, global const uchar* dense, global const real* bias, real slope, long b,
                 long h, int own, int rows, int other, int count, int covered, float scores[TILE_ROWS / 8][4],
                 float dScores[TILE_ROWS / 8][4], float capDerivative[TILE_ROWS / 8][4]) {
  UNROLL
  for (int e = 0; e < 4; e++) {
    const int row = w.warp * 16 + w.lane / 4 + e / 2 * 8, column = w.lane % 4 * 2 + e % 2;
    const int distance = own + row - other;
    int near = 0, far = row < rows ? count : 0;
    if (PASS == PASS_KEY && covered == 1) {
      near = distance - band.largest;
      far = own + row < band.end ? min(far, distance - band.least + 1) : 0;
    } else if (covered == 1) {
      near = distance + band.least;
      far = min(far, min(own + row + band.largest + 1, band.end) - other);
    }
    near -= column;
    far -= column;
    UNROLL
    for (int n = 0; n < TILE_ROWS / 8; n++) {
      const int i = PASS == PASS_KEY ? other + n * 8 + column : own + row, j = PASS == PASS_KEY ? own + row : other + n * 8 + column;
      bool attended = n * 8 >= near && n * 8 < far;
      if (c->hasDense && covered == 1 && attended) {
        attended = is_attended(c, band, dense, b, h, i, j);
      }
#if MODIFIED
      if (attended) {
        scores[n][e] = modified_with_derivative(c, scores[n][e], bias, slope, b, h, i, j, &capDerivative[n][e]);
        attended = scores[n][e] != -INFINITY;
      }
#endif
      scores[n][e] = attended ? scores[n][e] : -INFINITY;
      dScores[n][e] = attended ? dScores[n][e] : 0;
    }
  }
}

// What follows from the number of an item is computed again from here on: kept, it takes the registers of sums.
#define REFRESH_WARP w = warp_of(staged, exchange, opaque(w.item))

// Groups: column blocks of the gradients, then heads (of the keys, where keys are own rows), then blocks of own rows, those
// first whose causal rows are longest. Of one head, number c.rows, in the pass of the scores. Gradients of keys and values lie
// without gaps, [batch][key head][key][width]. `sinkRows` receives each row's part of the gradient of its sink.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void backward_mma(
    const Call c, global const ushort* query, global const ushort* key, global const ushort* value,
    global const ushort* dOut, global const real* dLse, global float4* stats, global real* dSinkRows,
    global real* to, global real* valueTo, global const Band* bands, global const uchar* dense, global const uchar* maskTiles,
    global const real* bias, global const real* slopes, global const real* sinks) {
  local ushort staged[ALL_BYTES / 2] __attribute__((aligned(128)));
  local float exchange[EXCHANGE_FLOATS];
  local uint marks[2 * MARK_WORDS];
  local int flag;
  Warp w = warp_of(staged, exchange, (int)get_local_id(0));
  const uint base = origin(w);
  const long columnBlocks = SUMS_GRADIENTS ? COLUMN_BLOCKS : 1, task = get_group_id(0) / columnBlocks;
  const int block = (int)(get_group_id(0) % columnBlocks);
  const long group = c.heads / c.kvHeads, ownCount = PASS == PASS_KEY ? c.keys : c.queries, ownBlocks = (ownCount + BM - 1) / BM;
  const long heads = PASS == PASS_SCORE ? 1 : c.batches * (PASS == PASS_KEY ? c.kvHeads : c.heads);
  const long head = PASS == PASS_SCORE ? c.rows : task % heads;
  const int b = (int)(head / (PASS == PASS_KEY ? c.kvHeads : c.heads));
  const int kh = (int)(PASS == PASS_KEY ? head % c.kvHeads : head % c.heads / group);
  int h = (int)(PASS == PASS_KEY ? kh * group : head % c.heads);
  const int lastHead = PASS == PASS_KEY ? h + (int)group - 1 : h;
  const int first = (int)(PASS == PASS_KEY ? task / heads : ownBlocks - 1 - task / heads) * BM;
  const int rows = (int)min((long)BM, ownCount - first);
  const int own = first + (int)(PASS == PASS_KEY ? c.keyFrom : c.queryFrom), otherFrom = (int)(PASS == PASS_KEY ? c.queryFrom : c.keyFrom);
  const int otherCount = (int)(PASS == PASS_KEY ? c.queries : c.keys);
  const Band band = bands[b];
  const int headDim = (int)c.headDim, valueHeadDim = (int)c.valueHeadDim;
  query += c.query.offset + b * c.query.batchStride;
  dOut += c.dOut.offset + b * c.dOut.batchStride;
  key += c.key.offset + b * c.key.batchStride + kh * c.key.headStride;
  value += c.value.offset + b * c.value.batchStride + kh * c.value.headStride;
  stats += (long)b * c.heads * c.queries;
  if (w.item == 0) {
    flag = 0;
  }

  uint firstRows[D / 16][4], secondRows[SECOND_IN_LOCAL ? 1 : DV / 16][4];
  if (PASS == PASS_KEY) {
    load_own_rows(w, base, key + first * c.key.rowStride, c.key.rowStride, rows, headDim, D, STAGED_COLUMNS(D), firstRows);
  } else {
    load_own_rows(w, base, query + h * c.query.headStride + first * c.query.rowStride, c.query.rowStride, rows, headDim, D, STAGED_COLUMNS(D), firstRows);
  }
  global const ushort* secondFrom = PASS == PASS_KEY ? value + first * c.value.rowStride
                                            : dOut + h * c.dOut.headStride + first * c.dOut.rowStride;
  const long secondStride = PASS == PASS_KEY ? c.value.rowStride : c.dOut.rowStride;
#if SECOND_IN_LOCAL
  copy_rows(w, base + TILE_BYTES, secondFrom, secondStride, rows, BM, valueHeadDim, DV);
  commit_copies();
#else
  load_own_rows(w, base, secondFrom, secondStride, rows, valueHeadDim, DV, STAGED_COLUMNS(DV), secondRows);
#endif
  barrier(CLK_LOCAL_MEM_FENCE);

  float dFirst[DX / 8][4], dValue[DY / 8][4];
  UNROLL
  for (int e = 0; e < 4; e++) {
    UNROLL
    for (int n = 0; n < DX / 8; n++) {
      dFirst[n][e] = 0;
    }
    UNROLL
    for (int n = 0; n < DY / 8; n++) {
      dValue[n][e] = 0;
    }
  }
  // Of own queries; while the statistics are summed up `inverse` is this item's part of the sum, `delta` that of its products.
  float rowMax[2], inverse[2], delta[2];
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.warp * 16 + w.lane / 4 + r * 8;
    rowMax[r] = PASS == PASS_STATISTICS ? EMPTY_MAX : 0;
    inverse[r] = 0;
    delta[r] = 0;
    const bool hasStats = PASS == PASS_STATISTICS ? !c.begins : PASS != PASS_KEY;
    if (hasStats && row < rows) {
      const float4 saved = stats[h * c.queries + first + row];
      const bool mine = PASS != PASS_STATISTICS || w.lane % 4 == 0;
      rowMax[r] = saved.x;
      inverse[r] = mine ? saved.y : 0;
      delta[r] = mine ? saved.z - saved.w : 0;
    }
  }

  // Tiles [t, end) of each head, counted from this launch's first row.
  int begin, end;
  if (PASS == PASS_SCORE) {
    begin = 0;
    end = otherCount;
  } else if (PASS == PASS_KEY) {
    begin = max(0, own - band.largest - otherFrom) / TILE_ROWS * TILE_ROWS;
    end = min(otherCount, own + rows - band.least - otherFrom);
  } else {
    const int2 range = attended_keys(&c, band, own, own + rows, TILE_ROWS);
    begin = range.x - otherFrom;
    end = range.y - otherFrom;
  }
  int t = begin, covered = 0, stage = 0;
#define FIND_TILE(head_, t_, covered_) \
  while (head_ <= lastHead) { \
    if (t_ >= end) { \
      head_++; \
      t_ = begin < end ? begin : INT_MAX; \
    } else if ((covered_ = PASS == PASS_KEY \
                    ? cover(&c, band, maskTiles, opaque(b), head_, otherFrom + t_, otherFrom + min(t_ + TILE_ROWS, otherCount), own, own + rows) \
                    : cover(&c, band, maskTiles, opaque(b), head_, own, own + rows, otherFrom + t_, otherFrom + min(t_ + TILE_ROWS, otherCount))) \
                   != 0 \
               || PASS == PASS_SCORE) { \
      break; \
    } else { \
      t_ += TILE_ROWS; \
    } \
  }
#define COPY_TILE(head_, t_, stage_) \
  { \
    const int count_ = min(TILE_ROWS, otherCount - t_); \
    const uint tile_ = base + (stage_) * STAGE_BYTES; \
    if (PASS == PASS_KEY) { \
      copy_rows(w, tile_, query + head_ * c.query.headStride + t_ * c.query.rowStride, c.query.rowStride, count_, TILE_ROWS, headDim, D); \
      copy_rows(w, tile_ + FIRST_BYTES, dOut + head_ * c.dOut.headStride + t_ * c.dOut.rowStride, \
                c.dOut.rowStride, count_, TILE_ROWS, valueHeadDim, DV); \
      if (w.item < TILE_ROWS) { \
        copy_chunk(w, tile_ + FIRST_BYTES + SECOND_BYTES + w.item * STATISTICS_BYTES, \
                   (global const ushort*)(stats + head_ * c.queries + t_ + (w.item < count_ ? w.item : 0)), \
                   w.item < count_ ? STATISTICS_BYTES : 0); \
      } \
    } else { \
      copy_rows(w, tile_, key + t_ * c.key.rowStride, c.key.rowStride, count_, TILE_ROWS, headDim, D); \
      copy_rows(w, tile_ + FIRST_BYTES, value + t_ * c.value.rowStride, c.value.rowStride, count_, TILE_ROWS, valueHeadDim, DV); \
    } \
  }
  FIND_TILE(h, t, covered)
  if (h <= lastHead) {
    COPY_TILE(h, t, 0)
  }
  commit_copies();
  while (h <= lastHead) {
    REFRESH_WARP;
    const int count = min(TILE_ROWS, otherCount - t);
    const uint firstTile = base + stage * STAGE_BYTES, secondTile = firstTile + FIRST_BYTES;
    int nextHead = h, next = t + TILE_ROWS, nextCovered = 0;
    FIND_TILE(nextHead, next, nextCovered)
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    if (STAGES == 2 && nextHead <= lastHead) {
      COPY_TILE(nextHead, next, 1 - stage)
    }
    commit_copies();

    float scores[TILE_ROWS / 8][4], dScores[TILE_ROWS / 8][4], capDerivative[TILE_ROWS / 8][4];
    UNROLL
    for (int n = 0; n < TILE_ROWS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        scores[n][e] = 0;
        dScores[n][e] = 0;
        capDerivative[n][e] = 1;
      }
    }
    UNROLL
    for (int k = 0; k < D / 16; k++) {
      multiply_block(w, firstRows[k], firstTile, k, D / PER_CHUNK_16, scores);
    }
    REFRESH_WARP;
    UNROLL
    for (int k = 0; k < DV / 16; k++) {
#if SECOND_IN_LOCAL
      uint mine[4];
      load_matrices(
          w, base + TILE_BYTES + chunk_offset(w.warp * 16 + w.lane % 16, 2 * k + w.lane / 16, DV / PER_CHUNK_16), mine);
      multiply_block(w, mine, secondTile, k, DV / PER_CHUNK_16, dScores);
#else
      multiply_block(w, secondRows[k], secondTile, k, DV / PER_CHUNK_16, dScores);
#endif
    }
    const int fewest = PASS == PASS_KEY ? 0 : TILE_ROWS; // rows of queries that are not there weigh nothing as they are
    const bool partial = MODIFIED || covered != 2 || count < fewest;
    if (partial) {
      const real slope = c.hasSlopes ? slopes[h] : 0;
      modify_and_mask(&c, w, band, dense, bias, slope, opaque(b), h, opaque(own), rows, otherFrom + t, count, covered == 0 ? 1 : covered,
           scores, dScores, capDerivative);
    }

    if (PASS == PASS_STATISTICS) {
      UNROLL
      for (int r = 0; r < 2; r++) {
        float tileMax = -INFINITY; // a NaN is passed over; it spoils its own sum
        UNROLL
        for (int n = 0; n < TILE_ROWS / 8; n++) {
          tileMax = fmax(tileMax, fmax(scores[n][2 * r], scores[n][2 * r + 1]));
        }
        UNROLL
        for (int mask = 1; mask <= 2; mask++) {
          tileMax = fmax(tileMax, shuffle_xor(w, tileMax, mask));
        }
        if (tileMax > rowMax[r]) {
          const float rescale = fast_exp2((rowMax[r] - tileMax) * c.factor);
          rowMax[r] = tileMax;
          inverse[r] *= rescale;
          delta[r] *= rescale;
        }
        UNROLL
        for (int n = 0; n < TILE_ROWS / 8; n++) {
          UNROLL
          for (int e = 2 * r; e < 2 * r + 2; e++) {
            const float p = fast_exp2((scores[n][e] - rowMax[r]) * c.factor);
            inverse[r] += p;
            delta[r] = p != 0 ? fma(p, dScores[n][e], delta[r]) : delta[r];
          }
        }
      }
    } else {
      UNROLL
      for (int n = 0; n < TILE_ROWS / 8; n++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          float queryMax = rowMax[e / 2], queryInverse = inverse[e / 2], queryDelta = delta[e / 2];
          if (PASS == PASS_KEY) {
            const float4 row = ((local const float4*)(w.tiles + (stage * STAGE_BYTES + FIRST_BYTES + SECOND_BYTES) / 2))
                [n * 8 + w.lane % 4 * 2 + e % 2];
            queryMax = row.x;
            queryInverse = row.y;
            queryDelta = row.z - row.w;
          }
          const bool attended = !partial || scores[n][e] != -INFINITY;
          const float p = attended ? fast_exp2((scores[n][e] - queryMax) * c.factor) * queryInverse : 0;
          scores[n][e] = p;
          dScores[n][e] = partial && p == 0 ? 0 : p * (dScores[n][e] - queryDelta);
        }
      }
    }
    if (PASS == PASS_SCORE) {
      UNROLL
      for (int n = 0; n < TILE_ROWS / 8; n++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          const int row = w.warp * 16 + w.lane / 4 + e / 2 * 8, column = n * 8 + w.lane % 4 * 2 + e % 2;
          if (row < rows && column < count) {
            to[(long)(first + row) * c.keys + t + column] = dScores[n][e];
          }
        }
      }
    }
#if MODIFIED && (PASS == PASS_QUERY || PASS == PASS_KEY)
    UNROLL
    for (int n = 0; n < TILE_ROWS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        dScores[n][e] = dScores[n][e] == 0 ? 0 : dScores[n][e] * capDerivative[n][e];
      }
    }
#endif
    if (PASS == PASS_KEY) {
      REFRESH_WARP;
      if (covered == 1 || c.hasBias) {
        add_nonfinite(w, secondTile - base, block * DY / PER_CHUNK_16, DV, DY, marks, &flag, scores, dValue);
      }
      pool(w, scores, secondTile, block * DY / PER_CHUNK_16, DV / PER_CHUNK_16, DY, dValue);
    }
    if (SUMS_GRADIENTS) {
      REFRESH_WARP;
      if (covered == 1 || c.hasBias) {
        add_nonfinite(w, firstTile - base, block * DX / PER_CHUNK_16, D, DX, marks, &flag, dScores, dFirst);
      }
      pool(w, dScores, firstTile, block * DX / PER_CHUNK_16, D / PER_CHUNK_16, DX, dFirst);
    }
    if (STAGES == 1) {
      barrier(CLK_LOCAL_MEM_FENCE);
      if (nextHead <= lastHead) {
        COPY_TILE(nextHead, next, 0)
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
    if (PASS == PASS_STATISTICS) {
      float rowSum = inverse[r], deltaSum = delta[r];
      UNROLL
      for (int mask = 1; mask <= 2; mask++) {
        rowSum += shuffle_xor(w, rowSum, mask);
        deltaSum += shuffle_xor(w, deltaSum, mask);
      }
      const int queryHead = (int)(head % c.heads);
      const long n = queryHead * c.queries + first + row;
      if (row < rows && w.lane % 4 == 0) {
        if (c.ends) {
          const RowStats ended = finish_row(&c, rowMax[r], rowSum, c.hasSink ? sinks[queryHead] : 0);
          const float queryDelta = ended.inverse == 0 ? 0 : deltaSum * ended.inverse;
          const float lse = c.stage != 0 ? dLse[b * c.heads * c.queries + n] : 0;
          stats[n] = (float4)(rowMax[r], ended.inverse, queryDelta, lse);
          if (c.hasSink) {
            dSinkRows[b * c.heads * c.queries + n] = ended.sink * (lse - queryDelta);
          }
        } else {
          stats[n] = (float4)(rowMax[r], rowSum, deltaSum, 0);
        }
      }
    }
    if (SUMS_GRADIENTS && row < rows) {
      const long offset = PASS == PASS_KEY ? (head * c.keys + first + row) * c.headDim
                                  : c.output.offset + b * c.output.batchStride + head % c.heads * c.output.headStride
                                        + (first + row) * c.output.rowStride;
      UNROLL
      for (int n = 0; n < DX / 8; n++) {
        UNROLL
        for (int e = 0; e < 2; e++) {
          const int column = block * DX + n * 8 + w.lane % 4 * 2 + e;
          const float gradient = dFirst[n][2 * r + e] * c.scale;
          if (column < headDim) {
            to[offset + column] = c.begins ? gradient : to[offset + column] + gradient;
          }
        }
      }
    }
    if (PASS == PASS_KEY && row < rows) {
      const long offset = (head * c.keys + first + row) * c.valueHeadDim;
      UNROLL
      for (int n = 0; n < DY / 8; n++) {
        UNROLL
        for (int e = 0; e < 2; e++) {
          const int column = block * DY + n * 8 + w.lane % 4 * 2 + e;
          const float gradient = dValue[n][2 * r + e];
          if (column < valueHeadDim) {
            valueTo[offset + column] = c.begins ? gradient : valueTo[offset + column] + gradient;
          }
        }
      }
    }
  }
}
