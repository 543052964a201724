// Prefill on matrix units: attention of many queries in f16, bf16, or f32 with products in tf32. A warp owns ROW_BLOCKS
// blocks of 16 queries. Its query rows and its sums stay in registers from the first key to the last; its scores and weights
// are only in registers. Keys and values are copied in tiles of KEYS rows, asynchronously during the computation. With
// STAGES 2, local memory has two tiles of keys and two of values, used alternately. With STAGES 1 it has one of each: values
// are copied while scores are computed, the next keys while values are summed.
//
//   query, key, value  f16, bf16 or f32; rows must begin at multiples of 16 bytes
//   output             [batch][head][query][valueHeadDim], with the offset and strides in c.output
//   lse                [3][batch][head][query], LSE, row maximum and row sum
//   state              [batch][head][query][2]    row maximum and inverse row sum
//
// Groups of ITEMS work-items: blocks of BM queries in reverse order, because under a causal mask the last blocks attend to
// the most keys, then batch entries and heads, then blocks of DV columns of the values (innermost).
#include "score.h"
#include "nvidia/mma.h"
#include "nvidia/nonfinite.h"

#ifndef D // elements of a query and a key in a tile: headDim, padded with zeros
#define D 64
#endif
#ifndef DV // columns of the values of a work-group, padded with zeros
#define DV 64
#endif
#ifndef WARPS // warps of a work-group
#define WARPS 4
#endif
#ifndef ROW_BLOCKS // blocks of 16 queries of a warp
#define ROW_BLOCKS 2
#endif
#ifndef KEYS // keys of a tile
#define KEYS 64
#endif
#ifndef STAGES // tiles of keys, and of values, in local memory
#define STAGES 2
#endif
#ifndef FOLDED // 1: the exponent is fma(score, factor, -rowMax * factor). Only for unmodified scores and factors up to 1
#define FOLDED 0
#endif
#ifndef WHOLE // 1 if headDim is D and valueHeadDim is a multiple of DV
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)                    // work-items of a group
#define BM (WARPS * ROW_BLOCKS * 16)            // queries of a group
#define KEY_BYTES (KEYS * D * ELEMENT_BYTES)    // bytes of a tile of keys
#define VALUE_BYTES (KEYS * DV * ELEMENT_BYTES) // bytes of a tile of values
#define STAGE_BYTES (KEY_BYTES + VALUE_BYTES)   // bytes of a tile of each
#define TILE_BYTES (STAGES * STAGE_BYTES)       // bytes of all tiles
// Queries are loaded into registers through the memory of the tiles, which has room for this number of columns at a time.
#define QUERY_COLUMNS (BM * D * ELEMENT_BYTES <= TILE_BYTES ? D : D % 64 == 0 ? 64 : 32)
#define MARK_WORDS (BM * KEYS / 32) // words of the marks: one bit per weight of a tile
#if D % 32 != 0 || DV % 32 != 0 || KEYS % 16 != 0
#error "D and DV must be multiples of 32, KEYS of 16"
#endif
#include "nvidia/rows.h"

typedef STORED(STORAGE) element;
// STORE_PAIR: writes two neighbouring elements of the output.
#if STORAGE == 32
#define STORE_PAIR(x, y, offset) vstore2((float2)(x, y), 0, output + (offset))
#else
#define STORE_PAIR(x, y, offset) (((global uint*)output)[(offset) / 2] = pack(x, y))
#endif

// Modifies the scores of a tile. Scores that are masked, in rows from `queries` on or in columns from `keys` on become minus
// infinity.
INLINE void modify_and_mask(const Call* c, Warp w, Band band, global const uchar* mask, global const real* bias,
                            real slope, long b, long h, int i, int queries, int j, int keys, int covered,
                            float scores[ROW_BLOCKS][KEYS / 8][4]) {
  UNROLL
  for (int m = 0; m < ROW_BLOCKS; m++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      const int row = (w.warp * ROW_BLOCKS + m) * 16 + w.lane / 4 + e / 2 * 8;
      const int column = w.lane % 4 * 2 + e % 2;
      int near = 0, far = row < queries ? keys : 0;
      if (covered == 1) {
        near = i + row + band.least - j;
        far = min(far, min(i + row + band.largest + 1, band.end) - j);
      }
      near -= column;
      far -= column;
      UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        bool attended = n * 8 >= near && n * 8 < far;
#if MODIFIED
        if (attended) {
          scores[m][n][e] = modified(c, scores[m][n][e], bias, slope, b, h, i + row, j + n * 8 + column);
        }
#endif
        if ((c->hasCells || c->hasSpans) && covered == 1 && attended) {
          attended = is_attended(c, band, mask, b, h, i + row, j + n * 8 + column);
        }
        scores[m][n][e] = attended ? scores[m][n][e] : -INFINITY;
      }
    }
  }
}

// Adds the non-finite values of a tile, see nonfinite.h. The tile begins at byte `offset` of w.tiles. `marks`: bits of the
// weights that are not 0.
INLINE void add_nonfinite(Warp w, uint offset, local uint* marks, local int* flag,
                          float scores[ROW_BLOCKS][KEYS / 8][4], float out[ROW_BLOCKS][DV / 8][4]) {
  bool mine = false;
  for (int x = w.item; x < KEYS * DV; x += ITEMS) {
    mine = mine || is_nonfinite(w.tiles[offset / ELEMENT_BYTES + x]);
  }
  if (!any_item(w, mine, flag)) {
    return;
  }
  for (int x = w.item; x < MARK_WORDS; x += ITEMS) {
    marks[x] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int first = w.warp * ROW_BLOCKS * 16 + w.lane / 4; // first row of this lane
  UNROLL
  for (int m = 0; m < ROW_BLOCKS; m++) {
    UNROLL
    for (int n = 0; n < KEYS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        const int bit = (first + m * 16 + e / 2 * 8) * KEYS + n * 8 + w.lane % 4 * 2 + e % 2;
        if (scores[m][n][e] != 0) {
          atomic_or(marks + bit / 32, 1u << bit % 32);
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int key = 0; key < KEYS; key++) {
    const int k = opaque(key);
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
#if STORAGE == 32
        const uint bits =
            w.tiles[(offset + chunk_offset(k, 2 * n + w.lane % 4 / 2, DV / PER_CHUNK)) / 4 + w.lane % 2 * 2 + e % 2];
#else
        const ushort bits = w.tiles[(offset + chunk_offset(k, n, DV / PER_CHUNK_16)) / 2 + w.lane % 4 * 2 + e % 2];
#endif
        if (is_nonfinite(bits)) {
          UNROLL
          for (int m = 0; m < ROW_BLOCKS; m++) {
            const int bit = (first + m * 16 + e / 2 * 8) * KEYS + k;
            if (marks[bit / 32] >> bit % 32 & 1) {
              out[m][n][e] += weighted_nonfinite(bits);
            }
          }
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.item; x < KEYS * DV; x += ITEMS) {
    if (is_nonfinite(w.tiles[offset / ELEMENT_BYTES + x])) {
      w.tiles[offset / ELEMENT_BYTES + x] = 0;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void prefill_mma(
    const Call c, global const stored* query, global const stored* key, global const stored* value,
    global element* output, global real* state, global real* lse, global const Band* bands, global const uchar* mask,
    global const uchar* maskTiles, global const real* bias, global const real* slopes, global const real* sinks) {
  local stored staged[TILE_BYTES / ELEMENT_BYTES] __attribute__((aligned(128)));
  local float exchange[EXCHANGE_FLOATS];
  local uint marks[MARK_WORDS];
  local int flag;
  Warp w = warp_of(staged, exchange, (int)get_local_id(0));
  const uint base = origin(w);
  const long blocks = (c.queries + BM - 1) / BM, heads = c.batches * c.heads;
  const long columnBlocks = (c.valueHeadDim + DV - 1) / DV, task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * DV;
  const long bh = task % heads, kh = bh % c.heads / (c.heads / c.kvHeads);
  const int b = (int)(bh / c.heads), h = (int)(bh % c.heads), first = (int)(blocks - 1 - task / heads) * BM;
  const int queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  key += c.key.offset + b * c.key.batchStride + kh * c.key.headStride;
  value += c.value.offset + b * c.value.batchStride + kh * c.value.headStride + columnFrom;
  const int headDim = (int)c.headDim, valueColumns = (int)c.valueHeadDim - columnFrom;
  if (w.item == 0) {
    flag = 0;
  }

  uint q[ROW_BLOCKS][D / MMA_K][4];
  UNROLL
  for (int d0 = 0; d0 < D; d0 += QUERY_COLUMNS) {
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_rows(
        w, base,
        query + c.query.offset + b * c.query.batchStride + h * c.query.headStride + first * c.query.rowStride + d0,
        c.query.rowStride, queries, BM, headDim - d0, QUERY_COLUMNS);
    commit_copies();
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int m = 0; m < ROW_BLOCKS; m++) {
      UNROLL
      for (int k = 0; k < QUERY_COLUMNS / MMA_K; k++) {
        const uint row = (w.warp * ROW_BLOCKS + m) * 16 + w.lane % 16;
        load_matrices(w, base + chunk_offset(row, 2 * k + w.lane / 16, QUERY_COLUMNS / PER_CHUNK),
                      q[m][d0 / MMA_K + k]);
#if STORAGE == 32
        round_fragment(q[m][d0 / MMA_K + k]);
#endif
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  float scores[ROW_BLOCKS][KEYS / 8][4], out[ROW_BLOCKS][DV / 8][4];
  float rowMax[ROW_BLOCKS][2], itemSum[ROW_BLOCKS][2];
  UNROLL
  for (int m = 0; m < ROW_BLOCKS; m++) {
    UNROLL
    for (int r = 0; r < 2; r++) {
      rowMax[m][r] = EMPTY_MAX;
      itemSum[m][r] = 0;
    }
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        out[m][n][e] = 0;
      }
    }
  }

  const int2 range = attended_keys(&c, band, i, i + queries, KEYS);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  int j = range.x, covered = 0, stage = 0;
  while (j < range.y && (covered = cover(&c, band, maskTiles, b, h, i, i + queries, j, min(j + KEYS, keyEnd))) == 0) {
    j += KEYS;
  }
  if (j < range.y) {
    const int keys = min(KEYS, keyEnd - j);
    const long row = j - c.keyFrom;
    copy_rows(w, base, key + row * c.key.rowStride, c.key.rowStride, keys, KEYS, headDim, D);
    if (STAGES == 2) {
      copy_rows(w, base + KEY_BYTES, value + row * c.value.rowStride, c.value.rowStride, keys, KEYS, valueColumns, DV);
    }
    commit_copies();
  }
  while (j < range.y) {
    w = warp_of(staged, exchange, opaque(w.item));
    const int keys = min(KEYS, keyEnd - j);
    int next = j + KEYS, nextCovered = 0;
    while (next < range.y
           && (nextCovered = cover(&c, band, maskTiles, opaque(b), opaque(h), opaque(i), opaque(i) + queries, next,
                                   min(next + KEYS, keyEnd)))
                  == 0) {
      next += KEYS;
    }
    const int nextKeys = min(KEYS, keyEnd - next);
    const long nextRow = next - c.keyFrom;
    const uint keyTile = base + stage * STAGE_BYTES, valueTile = keyTile + KEY_BYTES;
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    if (STAGES == 1) {
      copy_rows(w, valueTile, value + (j - c.keyFrom) * c.value.rowStride, c.value.rowStride, keys, KEYS, valueColumns,
                DV);
    } else if (next < range.y) {
      const uint other = base + (1 - stage) * STAGE_BYTES;
      copy_rows(w, other, key + nextRow * c.key.rowStride, c.key.rowStride, nextKeys, KEYS, headDim, D);
      copy_rows(w, other + KEY_BYTES, value + nextRow * c.value.rowStride, c.value.rowStride, nextKeys, KEYS,
                valueColumns, DV);
    }
    commit_copies();

    UNROLL
    for (int m = 0; m < ROW_BLOCKS; m++) {
      UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          scores[m][n][e] = 0;
        }
      }
    }
    UNROLL
    for (int k = 0; k < D / MMA_K; k++) {
      UNROLL
      for (int n = 0; n < KEYS / 16; n++) {
        uint pair[4];
        load_matrices(
            w, keyTile + chunk_offset(n * 16 + w.lane % 8 + w.lane / 16 * 8, 2 * k + w.lane / 8 % 2, D / PER_CHUNK),
            pair);
#if STORAGE == 32
        round_fragment(pair);
#endif
        UNROLL
        for (int m = 0; m < ROW_BLOCKS; m++) {
          UNROLL
          for (int side = 0; side < 2; side++) {
            mma(w, q[m][k], pair[2 * side], pair[2 * side + 1], scores[m][2 * n + side]);
          }
        }
      }
    }
    if (STAGES == 1) {
      await_copies();
      barrier(CLK_LOCAL_MEM_FENCE);
      if (next < range.y) {
        copy_rows(w, keyTile, key + nextRow * c.key.rowStride, c.key.rowStride, nextKeys, KEYS, headDim, D);
      }
      commit_copies();
    }

    if (MODIFIED || covered == 1 || keys < KEYS) {
      modify_and_mask(&c, w, band, mask, bias, slope, opaque(b), opaque(h), opaque(i), queries, j, keys, covered,
                      scores);
    }
    UNROLL
    for (int m = 0; m < ROW_BLOCKS; m++) {
      UNROLL
      for (int r = 0; r < 2; r++) {
        float tileMax = -INFINITY; // fmax ignores NaN, which makes its own row sum NaN
        UNROLL
        for (int n = 0; n < KEYS / 8; n++) {
          tileMax = fmax(tileMax, fmax(scores[m][n][2 * r], scores[m][n][2 * r + 1]));
        }
        UNROLL
        for (int mask = 1; mask <= 2; mask++) {
          tileMax = fmax(tileMax, shuffle_xor(w, tileMax, mask));
        }
        if (tileMax > rowMax[m][r]) {
#if FOLDED
          const float oldPivot = rowMax[m][r] * c.factor, newPivot = tileMax * c.factor;
          const float rescale = fast_exp2(is_far(oldPivot) || is_far(newPivot) ? (rowMax[m][r] - tileMax) * c.factor
                                                                               : oldPivot - newPivot);
#else
          const float rescale = fast_exp2((rowMax[m][r] - tileMax) * c.factor);
#endif
          rowMax[m][r] = tileMax;
          itemSum[m][r] *= rescale;
          UNROLL
          for (int n = 0; n < DV / 8; n++) {
            out[m][n][2 * r] *= rescale;
            out[m][n][2 * r + 1] *= rescale;
          }
        }
#if FOLDED
        float pivot = rowMax[m][r] * c.factor;
        if (is_far(pivot)) {
          pivot = 0;
          UNROLL
          for (int n = 0; n < KEYS / 8; n++) {
            scores[m][n][2 * r] -= rowMax[m][r];
            scores[m][n][2 * r + 1] -= rowMax[m][r];
          }
        }
#endif
        UNROLL
        for (int n = 0; n < KEYS / 8; n++) {
          UNROLL
          for (int e = 2 * r; e < 2 * r + 2; e++) {
#if FOLDED
            scores[m][n][e] = fast_exp2(fma(scores[m][n][e], c.factor, -pivot));
#else
            scores[m][n][e] = fast_exp2((scores[m][n][e] - rowMax[m][r]) * c.factor);
#endif
            itemSum[m][r] += scores[m][n][e];
          }
        }
      }
    }

    if (covered == 1 || c.hasBias) {
      add_nonfinite(w, valueTile - base, marks, &flag, scores, out);
    }
    converge();
#if STORAGE == 32
    // A lane has the weights of keys 2 (lane % 4) and the next; the instruction expects columns lane % 4 and lane % 4 + 4.
    // Keys may be added in any order, so the rows of the values are loaded in the order of the weights.
    UNROLL
    for (int k = 0; k < KEYS / 8; k++) {
      uint p[ROW_BLOCKS][4];
      UNROLL
      for (int m = 0; m < ROW_BLOCKS; m++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          p[m][e] = tf32(as_uint(scores[m][k][e % 2 * 2 + e / 2]));
        }
      }
      UNROLL
      for (int n = 0; n < DV / 8; n++) {
        const int row = k * 8 + w.lane % 4 * 2, chunk = 2 * n + w.lane / 16, word = w.lane / 4 % 4;
        const uint low =
            tf32(w.tiles[(valueTile - base + chunk_offset(row, chunk, DV / PER_CHUNK)) / ELEMENT_BYTES + word]);
        const uint high =
            tf32(w.tiles[(valueTile - base + chunk_offset(row + 1, chunk, DV / PER_CHUNK)) / ELEMENT_BYTES + word]);
        UNROLL
        for (int m = 0; m < ROW_BLOCKS; m++) {
          mma(w, p[m], low, high, out[m][n]);
        }
      }
    }
#else
    UNROLL
    for (int k = 0; k < KEYS / 16; k++) {
      uint p[ROW_BLOCKS][4];
      UNROLL
      for (int m = 0; m < ROW_BLOCKS; m++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          p[m][e] = pack(scores[m][2 * k + e / 2][e % 2 * 2], scores[m][2 * k + e / 2][e % 2 * 2 + 1]);
        }
      }
      UNROLL
      for (int n = 0; n < DV / 16; n++) {
        uint pair[4];
        load_transposed(w, valueTile + chunk_offset(k * 16 + w.lane % 16, 2 * n + w.lane / 16, DV / PER_CHUNK_16),
                        pair);
        UNROLL
        for (int m = 0; m < ROW_BLOCKS; m++) {
          UNROLL
          for (int side = 0; side < 2; side++) {
            mma(w, p[m], pair[2 * side], pair[2 * side + 1], out[m][2 * n + side]);
          }
        }
      }
    }
#endif
    stage = STAGES == 2 ? 1 - stage : 0;
    j = next;
    covered = nextCovered;
  }

  const bool pairs =
      ((c.output.offset | c.output.batchStride | c.output.headStride | c.output.rowStride | c.valueHeadDim) & 1) == 0;
  UNROLL
  for (int m = 0; m < ROW_BLOCKS; m++) {
    UNROLL
    for (int r = 0; r < 2; r++) {
      float rowSum = itemSum[m][r];
      UNROLL
      for (int mask = 1; mask <= 2; mask++) {
        rowSum += shuffle_xor(w, rowSum, mask);
      }
      const int row = (w.warp * ROW_BLOCKS + m) * 16 + w.lane / 4 + r * 8;
      if (row < queries) {
        const RowStats ended = finish_row(&c, rowMax[m][r], rowSum, c.hasSink ? sinks[h] : 0);
        const long offset = c.output.offset + b * c.output.batchStride + h * c.output.headStride
                            + (first + row) * c.output.rowStride + columnFrom;
        if (w.lane % 4 == 0 && columnFrom == 0) {
          const long n = bh * c.queries + first + row;
          state[2 * n] = rowMax[m][r];
          state[2 * n + 1] = ended.inverse;
          store_statistics(&c, ended, n, lse);
        }
        UNROLL
        for (int n = 0; n < DV / 8; n++) {
          const int column = n * 8 + w.lane % 4 * 2;
          const float x = ended.inverse == 0 ? 0 : out[m][n][2 * r] * ended.inverse;
          const float y = ended.inverse == 0 ? 0 : out[m][n][2 * r + 1] * ended.inverse;
          if (pairs && column < valueColumns) {
            STORE_PAIR(x, y, offset + column);
          } else if (column < valueColumns) {
            STORE(STORAGE, x, output, offset + column);
            if (column + 1 < valueColumns) {
              STORE(STORAGE, y, output, offset + column + 1);
            }
          }
        }
      }
    }
  }
}
