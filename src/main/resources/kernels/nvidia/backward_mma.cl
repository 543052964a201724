// Backward pass of attention on matrix units, in f16 or bf16. S and P are recomputed from the inputs, as in backward.cl, in
// passes of the same shape: a work-group owns rows, 16 per warp, and the other rows come in tiles of TILE_ROWS.
//
//   PASS         own rows      tiles         sums in registers
//   STATISTICS   Q, dO         K, V          m, l and delta = sum P dP of every query
//   QUERY        Q, dO         K, V          dQ = scale dS K, with dS = P (dP - delta + dLse)
//   KEY          K, V          Q, dO         dK = scale dS' Q, dV = P' dO, over all queries that share the keys, in order
//   SCORE        Q, dO         K, V          none: dS is written, for the gradient of the bias
//
// Each pass is a separate program. Every sum is computed by one warp in a fixed order, so results are bitwise reproducible.
// All passes add up the terms of a product in the same order, so S and dP are bitwise equal in all passes.
//
//   query, key, value, dOut      f16 or bf16; rows begin at multiples of 16 bytes
//   dLse                         gradient of the LSE, if c.stage is 1
//   stats                        [batch][head][query]: m, 1 / l, delta, dLse; between STATISTICS launches m, l, l delta, 0
//   dSinkRows                    [batch][head][query]: gradient of the sink of each row (STATISTICS)
//   to                           dQ; dK [batch][kv head][key][headDim]; or dS [query][key] of head c.rows (SCORE)
//   valueTo                      dV [batch][kv head][key][valueHeadDim]
//
// Groups of ITEMS work-items: blocks of BM own rows, those with the most cells under a causal mask first, then batch entries
// and heads (key/value heads in KEY, one head in SCORE), then column blocks of the gradients (innermost).
#include "score.h"
#include "nvidia/mma.h"
#include "nvidia/nonfinite.h"

// PASS: the pass of this program.
#define PASS_STATISTICS 1
#define PASS_QUERY 2
#define PASS_KEY 3
#define PASS_SCORE 4
#ifndef PASS
#define PASS PASS_KEY
#endif
#ifndef D // elements of a query and a key in a tile: headDim, padded with zeros
#define D 64
#endif
#ifndef DV // elements of a value in a tile: valueHeadDim, padded with zeros
#define DV 64
#endif
#ifndef WARPS // warps of a work-group
#define WARPS 4
#endif
#ifndef COLUMN_BLOCKS // blocks that the columns of the gradients are divided into; a work-group computes one
#define COLUMN_BLOCKS 1
#endif
#ifndef TILE_ROWS // rows of a tile
#define TILE_ROWS 32
#endif
#ifndef STAGES // tiles of each operand in local memory; 2: the next tiles are copied during the computation
#define STAGES 2
#endif
#ifndef WHOLE // 1 if headDim is D and valueHeadDim is DV
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)                                    // work-items of a group
#define BM (WARPS * 16)                                         // own rows of a group
#define SUMS_GRADIENTS (PASS == PASS_QUERY || PASS == PASS_KEY) // whether the pass sums gradients in registers
#define DX (SUMS_GRADIENTS ? D / COLUMN_BLOCKS : 16)            // columns of dQ or dK of a group
#define DY (PASS == PASS_KEY ? DV / COLUMN_BLOCKS : 16)         // columns of dV of a group
#define FIRST_BYTES (TILE_ROWS * D * 2)                         // a tile of K or Q
#define SECOND_BYTES (TILE_ROWS * DV * 2)                       // a tile of V or dO
#define STATISTICS_BYTES 16                                     // the statistics of a query, copied with its row
// Bytes of one tile of each operand, with the statistics of the queries in PASS_KEY, and bytes of all tiles.
#define STAGE_BYTES (FIRST_BYTES + SECOND_BYTES + (PASS == PASS_KEY ? TILE_ROWS * STATISTICS_BYTES : 0))
#define TILE_BYTES (STAGES * STAGE_BYTES)
// Own rows are loaded into registers through the memory of the tiles, which has room for this number of columns at a time.
#define STAGED_COLUMNS(width) (BM * (width) * 2 <= TILE_BYTES ? (width) : (width) % 64 == 0 ? 64 : 32)
// Whether the second own rows, V or dO, stay in local memory, because there are too few registers for them and the sums.
#define SECOND_IN_LOCAL ((D + DV) / 4 + (DX + DY) / 2 > 176)
#define ALL_BYTES (TILE_BYTES + SECOND_IN_LOCAL * BM * DV * 2) // tiles and second own rows
#define MARK_WORDS (BM * TILE_ROWS / 32)                       // words of one bit per weight of a tile
#if D % 32 != 0 || DV % 32 != 0 || TILE_ROWS % 16 != 0 || DX % 16 != 0 || DY % 16 != 0
#error "D and DV must be multiples of 32, TILE_ROWS, DX and DY of 16"
#endif
#include "nvidia/rows.h"

// Loads own rows into registers, through the memory of the tiles.
INLINE void load_own_rows(Warp w, uint base, global const ushort* from, long rowStride, int count, int width,
                          int columns, int stagedColumns, uint (*fragment)[4]) {
  UNROLL
  for (int d0 = 0; d0 < columns; d0 += stagedColumns) {
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_rows(w, base, from + d0, rowStride, count, BM, width - d0, stagedColumns);
    commit_copies();
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int k = 0; k < stagedColumns / 16; k++) {
      load_matrices(w,
                    base + chunk_offset(w.warp * 16 + w.lane % 16, 2 * k + w.lane / 16, stagedColumns / PER_CHUNK_16),
                    fragment[d0 / 16 + k]);
    }
  }
}

// cells += own rows times the rows of a tile, for block k of 16 elements.
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

// sums += weights times the rows of a tile, for `columns` columns from chunk `first` on.
INLINE void pool(Warp w, float weights[TILE_ROWS / 8][4], uint tile, int first, int chunks, int columns,
                 float (*sums)[4]) {
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

// Adds the non-finite elements of a tile to `sums`, see nonfinite.h; a negative weight changes the sign of an infinity. The
// tile begins at byte `offset` of w.tiles and has `all` columns; `columns` of them, from chunk `first` on, are added.
// `marks`: bits of the weights that are not 0, then bits of the negative weights. A weight that is NaN makes its row NaN in
// any case.
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
  const int row = w.warp * 16 + w.lane / 4; // first row of this lane
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
        const ushort bits =
            w.tiles[(offset + chunk_offset(k, first + n, all / PER_CHUNK_16)) / 2 + w.lane % 4 * 2 + e % 2];
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

// The modified score, and the derivative of the softcap, without the scale.
INLINE float modified_with_derivative(const Call* c, float dot, global const real* bias, real slope, long b, long h,
                                      int i, int j, float* derivative) {
  *derivative = 1;
#if MODIFIED
  if (c->softcap > 0) {
    const float t = accurate_tanh(dot * c->scale / c->softcap);
    *derivative = 1 - t * t;
  }
#endif
  return modified(c, dot, bias, slope, b, h, i, j);
}

// Modifies the scores of `rows` own rows from index `own` on and `count` rows of a tile from index `other` on. Scores that
// are masked or outside these rows become minus infinity, and their dP (in dScores) becomes 0. For all other scores,
// capDerivative receives the derivative of the softcap.
INLINE void modify_and_mask(const Call* c, Warp w, Band band, global const uchar* mask, global const real* bias,
                            real slope, long b, long h, int own, int rows, int other, int count, int covered,
                            float scores[TILE_ROWS / 8][4], float dScores[TILE_ROWS / 8][4],
                            float capDerivative[TILE_ROWS / 8][4]) {
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
      const int i = PASS == PASS_KEY ? other + n * 8 + column : own + row,
                j = PASS == PASS_KEY ? own + row : other + n * 8 + column;
      bool attended = n * 8 >= near && n * 8 < far;
      if ((c->hasCells || c->hasSpans) && covered == 1 && attended) {
        attended = is_attended(c, band, mask, b, h, i, j);
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

// REFRESH_WARP: makes the compiler recompute values that depend on the local id. If they stayed in registers, there would be
// too few registers for the sums.
#define REFRESH_WARP w = warp_of(staged, exchange, opaque(w.item))

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void backward_mma(
    const Call c, global const ushort* query, global const ushort* key, global const ushort* value,
    global const ushort* dOut, global const real* dLse, global float4* stats, global real* dSinkRows, global real* to,
    global real* valueTo, global const Band* bands, global const uchar* mask, global const uchar* maskTiles,
    global const real* bias, global const real* slopes, global const real* sinks) {
  local ushort staged[ALL_BYTES / 2] __attribute__((aligned(128)));
  local float exchange[EXCHANGE_FLOATS];
  local uint marks[2 * MARK_WORDS];
  local int flag;
  Warp w = warp_of(staged, exchange, (int)get_local_id(0));
  const uint base = origin(w);
  const long columnBlocks = SUMS_GRADIENTS ? COLUMN_BLOCKS : 1, task = get_group_id(0) / columnBlocks;
  const int block = (int)(get_group_id(0) % columnBlocks);
  const long group = c.heads / c.kvHeads, ownCount = PASS == PASS_KEY ? c.keys : c.queries,
             ownBlocks = (ownCount + BM - 1) / BM;
  const long heads = PASS == PASS_SCORE ? 1 : c.batches * (PASS == PASS_KEY ? c.kvHeads : c.heads);
  const long head = PASS == PASS_SCORE ? c.rows : task % heads;
  const int b = (int)(head / (PASS == PASS_KEY ? c.kvHeads : c.heads));
  const int kh = (int)(PASS == PASS_KEY ? head % c.kvHeads : head % c.heads / group);
  int h = (int)(PASS == PASS_KEY ? kh * group : head % c.heads);
  const int lastHead = PASS == PASS_KEY ? h + (int)group - 1 : h;
  const int first = (int)(PASS == PASS_KEY ? task / heads : ownBlocks - 1 - task / heads) * BM;
  const int rows = (int)min((long)BM, ownCount - first);
  const int own = first + (int)(PASS == PASS_KEY ? c.keyFrom : c.queryFrom),
            otherFrom = (int)(PASS == PASS_KEY ? c.queryFrom : c.keyFrom);
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
    load_own_rows(w, base, key + first * c.key.rowStride, c.key.rowStride, rows, headDim, D, STAGED_COLUMNS(D),
                  firstRows);
  } else {
    load_own_rows(w, base, query + h * c.query.headStride + first * c.query.rowStride, c.query.rowStride, rows, headDim,
                  D, STAGED_COLUMNS(D), firstRows);
  }
  global const ushort* secondFrom =
      PASS == PASS_KEY ? value + first * c.value.rowStride : dOut + h * c.dOut.headStride + first * c.dOut.rowStride;
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
  // The statistics of own queries: m, 1 / l, delta - dLse. In the pass STATISTICS, `inverse` and `delta` are sums over the
  // cells of this lane: of 2^(factor (S - m)), whose sum over all lanes is l, and of 2^(factor (S - m)) dP.
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

  // The tiles of each head cover rows `begin` to `end` (exclusive), counted from the first row of this launch.
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
// Advances (head_, t_) to the first tile at or after this position that is not masked, and sets covered_ to its cover; pass
// SCORE does not skip masked tiles. If no tile remains, head_ > lastHead.
#define FIND_TILE(head_, t_, covered_) \
  while (head_ <= lastHead) { \
    if (t_ >= end) { \
      head_++; \
      t_ = begin < end ? begin : INT_MAX; \
    } else if ((covered_ = PASS == PASS_KEY \
                    ? cover(&c, band, maskTiles, opaque(b), head_, otherFrom + t_, \
                            otherFrom + min(t_ + TILE_ROWS, otherCount), own, own + rows) \
                    : cover(&c, band, maskTiles, opaque(b), head_, own, own + rows, otherFrom + t_, \
                            otherFrom + min(t_ + TILE_ROWS, otherCount))) \
                   != 0 \
               || PASS == PASS_SCORE) { \
      break; \
    } else { \
      t_ += TILE_ROWS; \
    } \
  }
// Starts copying the tile at (head_, t_), and in pass KEY its statistics, to the memory of stage_.
#define COPY_TILE(head_, t_, stage_) \
  { \
    const int count_ = min(TILE_ROWS, otherCount - t_); \
    const uint tile_ = base + (stage_) * STAGE_BYTES; \
    if (PASS == PASS_KEY) { \
      copy_rows(w, tile_, query + head_ * c.query.headStride + t_ * c.query.rowStride, c.query.rowStride, count_, \
                TILE_ROWS, headDim, D); \
      copy_rows(w, tile_ + FIRST_BYTES, dOut + head_ * c.dOut.headStride + t_ * c.dOut.rowStride, \
                c.dOut.rowStride, count_, TILE_ROWS, valueHeadDim, DV); \
      if (w.item < TILE_ROWS) { \
        copy_chunk(w, tile_ + FIRST_BYTES + SECOND_BYTES + w.item * STATISTICS_BYTES, \
                   (global const ushort*)(stats + head_ * c.queries + t_ + (w.item < count_ ? w.item : 0)), \
                   w.item < count_ ? STATISTICS_BYTES : 0); \
      } \
    } else { \
      copy_rows(w, tile_, key + t_ * c.key.rowStride, c.key.rowStride, count_, TILE_ROWS, headDim, D); \
      copy_rows(w, tile_ + FIRST_BYTES, value + t_ * c.value.rowStride, c.value.rowStride, count_, TILE_ROWS, \
                valueHeadDim, DV); \
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
    const int fewest = PASS == PASS_KEY ? 0 : TILE_ROWS; // absent queries have weight 0: their statistics are zeros
    const bool partial = MODIFIED || covered != 2 || count < fewest;
    if (partial) {
      const real slope = c.hasSlopes ? slopes[h] : 0;
      modify_and_mask(&c, w, band, mask, bias, slope, opaque(b), h, opaque(own), rows, otherFrom + t, count,
                      covered == 0 ? 1 : covered, scores, dScores, capDerivative);
    }

    if (PASS == PASS_STATISTICS) {
      UNROLL
      for (int r = 0; r < 2; r++) {
        float tileMax = -INFINITY; // fmax ignores NaN, which makes its own row sum NaN
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
      const long offset = PASS == PASS_KEY
                              ? (head * c.keys + first + row) * c.headDim
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
