// Decode on matrix units: attention of few queries in f16 or bf16, limited by memory bandwidth. Every key is read once, for
// all query rows that share it, up to 16. A work-group reads one split of the keys of one key/value head. Each warp copies
// and computes its own WARP_KEYS keys of every tile, without waiting for the other warps except in add_nonfinite. At the end
// the states of the warps are merged. Tiles are copied up to STAGES tiles ahead.
//
//   sums    [split][batch][head][query][valueHeadDim]    weighted values
//   states  [split][batch][head][query][2]               row maximum and row sum
//
// The splits divide the attended keys of a batch entry into ranges of whole tiles. Groups of ITEMS work-items: splits, then
// batch entries, then key/value heads (innermost).
#include "score.h"
#include "nvidia/mma.h"
#include "nvidia/nonfinite.h"

#ifndef D // elements of a query and a key in a tile: headDim, padded with zeros
#define D 64
#endif
#ifndef DV // elements of a value in a tile: valueHeadDim, padded with zeros
#define DV 64
#endif
#ifndef WARPS // warps of a work-group
#define WARPS 2
#endif
#ifndef KEYS // keys of a tile, of all warps together
#define KEYS 32
#endif
#ifndef STAGES // tiles of keys, and of values, in local memory
#define STAGES 2
#endif
#ifndef FOLDED // as in prefill_mma.cl
#define FOLDED 0
#endif
#ifndef WHOLE // 1 if headDim is D and valueHeadDim is DV
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)                         // work-items of a group
#define ROWS 16                                      // query rows
#define WARP_KEYS (KEYS / WARPS)                     // keys of a warp in a tile
#define KEY_BYTES (WARP_KEYS * D * 2)                // bytes of a warp's keys in a tile
#define STAGE_BYTES (KEY_BYTES + WARP_KEYS * DV * 2) // bytes of a warp's keys and values in a tile
#define WARP_BYTES (STAGES * STAGE_BYTES)            // bytes of all tiles of a warp
#define TILE_BYTES (WARPS * WARP_BYTES)              // bytes of all tiles
// Whether the queries are in local memory, after the tiles, because there are too few registers for them.
#define QUERIES_IN_LOCAL (D > 192)
#define QUERY_BYTES (QUERIES_IN_LOCAL ? ROWS * D * 2 : 0) // bytes of the queries in local memory
#define MARK_WORDS (ROWS * WARP_KEYS / 32)                // words of a warp's marks: one bit per weight
// PENDING_GROUPS: groups of copies that may still be incomplete when the kernel needs the oldest group; the keys and the
// values of a tile are separate groups.
#if STAGES == 1
#define PENDING_GROUPS 1
#elif STAGES == 2
#define PENDING_GROUPS 3
#elif STAGES == 3
#define PENDING_GROUPS 5
#else
#error "STAGES must be 1 to 3"
#endif
#if D % 32 != 0 || DV % 32 != 0 || KEYS % (16 * WARPS) != 0
#error "D and DV must be multiples of 32, KEYS of 16 * WARPS"
#endif
#if WARPS * ROWS * DV * 4 > TILE_BYTES
#error "the tiles must have room for the sums of all warps"
#endif

// Starts copying the warp's rows of a tile, WARP_KEYS x `columns` elements. The matrix has `count` rows of `width` elements
// from `from` on; the rest of the tile becomes zeros.
INLINE void copy_warp_rows(Warp w, uint to, global const ushort* from, long rowStride, int count, int width,
                           int columns) {
  const int chunks = columns / PER_CHUNK_16, across = chunks % 8 == 0 ? 8 : 4, down = WARP / across;
  const int first = w.lane / across, chunk = w.lane % across;
  from += first * rowStride + chunk * PER_CHUNK_16;
  UNROLL
  for (int m = 0; m < WARP_KEYS; m += down) {
    UNROLL
    for (int d = 0; d < chunks; d += across) {
      const int present = WHOLE ? PER_CHUNK_16 : clamp(width - (chunk + d) * PER_CHUNK_16, 0, PER_CHUNK_16);
      copy_chunk(w, to + chunk_offset(m + first, chunk + d, chunks), from + d * PER_CHUNK_16,
                 m + first < count ? 2 * present : 0);
    }
    from += down * rowStride;
  }
}

// Elements `column` and `column` + 1 of a query row in one word; elements from `width` on are zeros.
INLINE uint query_word(global const ushort* row, int column, int width) {
#if WHOLE
  return *(global const uint*)(row + column);
#else
  const uint low = column < width ? row[column] : 0, high = column + 1 < width ? row[column + 1] : 0;
  return low | high << 16;
#endif
}

// Modifies the scores of the warp's keys, from `j` on. Scores that are masked, in rows from `rows` on or in columns from
// `keys` on become minus infinity.
INLINE void modify_and_mask(const Call* c, Warp w, Band band, global const uchar* mask, global const real* bias,
                            global const real* slopes, long b, long head, int rows, int j, int keys, int covered,
                            float scores[WARP_KEYS / 8][4]) {
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.lane / 4 + r * 8, queries = (int)c->queries;
    const long h = head + row / queries;
    const int i = (int)c->queryFrom + row % queries;
    const real slope = c->hasSlopes && row < rows ? slopes[h] : 0;
    int near = 0, far = row < rows ? keys : 0;
    if (covered == 1) {
      near = i + band.least - j;
      far = min(far, min(i + band.largest + 1, band.end) - j);
    }
    UNROLL
    for (int n = 0; n < WARP_KEYS / 8; n++) {
      UNROLL
      for (int e = 0; e < 2; e++) {
        const int column = n * 8 + w.lane % 4 * 2 + e;
        bool attended = column >= near && column < far;
#if MODIFIED
        if (attended) {
          scores[n][2 * r + e] = modified(c, scores[n][2 * r + e], bias, slope, b, h, i, j + column);
        }
#endif
        if ((c->hasCells || c->hasSpans) && covered == 1 && attended) {
          attended = is_attended(c, band, mask, b, h, i, j + column);
        }
        scores[n][2 * r + e] = attended ? scores[n][2 * r + e] : -INFINITY;
      }
    }
  }
}

// Adds the non-finite values of the warp's keys, see nonfinite.h. The values begin at byte `offset` of w.tiles. `marks`:
// bits of the weights that are not 0.
INLINE void add_nonfinite(Warp w, uint offset, local uint* marks, local int* flag, float scores[WARP_KEYS / 8][4],
                          float out[DV / 8][4]) {
  bool mine = false;
  for (int x = w.lane; x < WARP_KEYS * DV; x += WARP) {
    mine = mine || is_nonfinite(w.tiles[offset / 2 + x]);
  }
  if (!any_item(w, mine, flag)) {
    return;
  }
  for (int x = w.lane; x < MARK_WORDS; x += WARP) {
    marks[x] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int n = 0; n < WARP_KEYS / 8; n++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      const int bit = (w.lane / 4 + e / 2 * 8) * WARP_KEYS + n * 8 + w.lane % 4 * 2 + e % 2;
      if (scores[n][e] != 0) {
        atomic_or(marks + bit / 32, 1u << bit % 32);
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int key = 0; key < WARP_KEYS; key++) {
    const int k = opaque(key);
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        const ushort bits = w.tiles[(offset + chunk_offset(k, n, DV / PER_CHUNK_16)) / 2 + w.lane % 4 * 2 + e % 2];
        const int bit = (w.lane / 4 + e / 2 * 8) * WARP_KEYS + k;
        if (is_nonfinite(bits) && (marks[bit / 32] >> bit % 32 & 1)) {
          out[n][e] += weighted_nonfinite(bits);
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.lane; x < WARP_KEYS * DV; x += WARP) {
    if (is_nonfinite(w.tiles[offset / 2 + x])) {
      w.tiles[offset / 2 + x] = 0;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void decode_mma(
    const Call c, const long splits, global const ushort* query, global const ushort* key, global const ushort* value,
    global real* sums, global real* states, global const Band* bands, global const uchar* mask,
    global const real* bias, global const real* slopes) {
  local ushort staged[(TILE_BYTES + QUERY_BYTES) / 2] __attribute__((aligned(128)));
  local float exchange[EXCHANGE_FLOATS];
  local float warpStates[2 * WARPS * ROWS]; // [warp][row]: row maximum and row sum
  local uint marks[WARPS * MARK_WORDS];
  local int flag;
  Warp w = warp_of(staged, exchange, (int)get_local_id(0));
  const uint base = origin(w);
  const long kvHeads = c.batches * c.kvHeads;
  const long split = get_group_id(0) / kvHeads, bk = get_group_id(0) % kvHeads, b = bk / c.kvHeads, kh = bk % c.kvHeads;
  const int queries = (int)c.queries, rows = (int)(c.heads / c.kvHeads) * queries;
  const long head = kh * (c.heads / c.kvHeads);
  const int headDim = (int)c.headDim, valueHeadDim = (int)c.valueHeadDim, i = (int)c.queryFrom;
  const Band band = bands[b];
  key += c.key.offset + b * c.key.batchStride + kh * c.key.headStride;
  value += c.value.offset + b * c.value.batchStride + kh * c.value.headStride;
  if (w.item == 0) {
    flag = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  const int2 range = attended_keys(&c, band, i, i + queries, KEYS);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  const long tiles = (max((long)range.y - range.x, (long)0) + KEYS - 1) / KEYS;
  const int from = range.x + (int)(tiles * split / splits) * KEYS;
  const int end = min(range.y, range.x + (int)(tiles * (split + 1) / splits) * KEYS);
  UNROLL
  for (int s = 0; s < STAGES; s++) {
    const int j = from + s * KEYS + w.warp * WARP_KEYS;
    const long row = j - c.keyFrom;
    const uint tile = base + w.warp * WARP_BYTES + s * STAGE_BYTES;
    if (from + s * KEYS < end) {
      copy_warp_rows(w, tile, key + row * c.key.rowStride, c.key.rowStride, keyEnd - j, headDim, D);
    }
    commit_copies();
    if (from + s * KEYS < end) {
      copy_warp_rows(w, tile + KEY_BYTES, value + row * c.value.rowStride, c.value.rowStride, keyEnd - j, valueHeadDim,
                     DV);
    }
    commit_copies();
  }

#if QUERIES_IN_LOCAL
  for (int x = w.item; x < ROWS * D / 2; x += ITEMS) {
    const int row = x / (D / 2), column = x % (D / 2) * 2;
    global const ushort* start = query + c.query.offset + b * c.query.batchStride
                                 + (head + row / queries) * c.query.headStride + row % queries * c.query.rowStride;
    const uint word = row < rows ? query_word(start, column, headDim) : 0;
    const uint to =
        (TILE_BYTES + chunk_offset(row, column / PER_CHUNK_16, D / PER_CHUNK_16)) / 2 + column % PER_CHUNK_16;
    staged[to] = (ushort)word;
    staged[to + 1] = (ushort)(word >> 16);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#else
  uint q[D / 16][4];
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.lane / 4 + r * 8;
    global const ushort* start = query + c.query.offset + b * c.query.batchStride
                                 + (head + row / queries) * c.query.headStride + row % queries * c.query.rowStride;
    UNROLL
    for (int k = 0; k < D / 16; k++) {
      UNROLL
      for (int side = 0; side < 2; side++) {
        const int column = k * 16 + side * 8 + w.lane % 4 * 2;
        q[k][2 * side + r] = row < rows ? query_word(start, column, headDim) : 0;
      }
    }
  }
#endif
  float out[DV / 8][4], rowMax[2] = {EMPTY_MAX, EMPTY_MAX}, rowSum[2] = {0, 0};
  UNROLL
  for (int n = 0; n < DV / 8; n++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      out[n][e] = 0;
    }
  }

  int stage = 0;
  for (int tileFrom = from; tileFrom < end; tileFrom += KEYS) {
    w = warp_of(staged, exchange, opaque(w.item));
    const int j = tileFrom + w.warp * WARP_KEYS, nextFrom = tileFrom + STAGES * KEYS,
              next = nextFrom + w.warp * WARP_KEYS;
    const long nextRow = next - c.keyFrom;
    const int tileEnd = min(tileFrom + KEYS, keyEnd);
    const int covered = cover(&c, band, 0, b, 0, i, i + queries, tileFrom, tileEnd);
    const uint keyTile = base + w.warp * WARP_BYTES + stage * STAGE_BYTES, valueTile = keyTile + KEY_BYTES;
    float scores[WARP_KEYS / 8][4];
    UNROLL
    for (int n = 0; n < WARP_KEYS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        scores[n][e] = 0;
      }
    }
    AWAIT_ALL_BUT(PENDING_GROUPS);
    sync_warp();
    UNROLL
    for (int k = 0; k < D / 16; k++) {
#if QUERIES_IN_LOCAL
      uint queryFragment[4];
      load_matrices(w, base + TILE_BYTES + chunk_offset(w.lane % 16, 2 * k + w.lane / 16, D / PER_CHUNK_16),
                    queryFragment);
#else
      const uint* queryFragment = q[k];
#endif
      UNROLL
      for (int n = 0; n < WARP_KEYS / 16; n++) {
        uint pair[4];
        load_matrices(
            w, keyTile + chunk_offset(n * 16 + w.lane % 8 + w.lane / 16 * 8, 2 * k + w.lane / 8 % 2, D / PER_CHUNK_16),
            pair);
        UNROLL
        for (int side = 0; side < 2; side++) {
          mma(w, queryFragment, pair[2 * side], pair[2 * side + 1], scores[2 * n + side]);
        }
      }
    }
    sync_warp();
    if (nextFrom < end) {
      copy_warp_rows(w, keyTile, key + nextRow * c.key.rowStride, c.key.rowStride, keyEnd - next, headDim, D);
    }
    commit_copies();

    if (MODIFIED || covered == 1 || tileEnd < tileFrom + KEYS) {
      modify_and_mask(&c, w, band, mask, bias, slopes, b, head, rows, j, keyEnd - j, covered, scores);
    }
    UNROLL
    for (int r = 0; r < 2; r++) {
      float tileMax = -INFINITY; // fmax ignores NaN, which makes its own row sum NaN
      UNROLL
      for (int n = 0; n < WARP_KEYS / 8; n++) {
        tileMax = fmax(tileMax, fmax(scores[n][2 * r], scores[n][2 * r + 1]));
      }
      UNROLL
      for (int mask = 1; mask <= 2; mask++) {
        tileMax = fmax(tileMax, shuffle_xor(w, tileMax, mask));
      }
      if (tileMax > rowMax[r]) {
#if FOLDED
        const float oldPivot = rowMax[r] * c.factor, newPivot = tileMax * c.factor;
        const float rescale =
            fast_exp2(is_far(oldPivot) || is_far(newPivot) ? (rowMax[r] - tileMax) * c.factor : oldPivot - newPivot);
#else
        const float rescale = fast_exp2((rowMax[r] - tileMax) * c.factor);
#endif
        rowMax[r] = tileMax;
        rowSum[r] *= rescale;
        UNROLL
        for (int n = 0; n < DV / 8; n++) {
          out[n][2 * r] *= rescale;
          out[n][2 * r + 1] *= rescale;
        }
      }
#if FOLDED
      float pivot = rowMax[r] * c.factor;
      if (is_far(pivot)) {
        pivot = 0;
        UNROLL
        for (int n = 0; n < WARP_KEYS / 8; n++) {
          scores[n][2 * r] -= rowMax[r];
          scores[n][2 * r + 1] -= rowMax[r];
        }
      }
#endif
      UNROLL
      for (int n = 0; n < WARP_KEYS / 8; n++) {
        UNROLL
        for (int e = 2 * r; e < 2 * r + 2; e++) {
#if FOLDED
          scores[n][e] = fast_exp2(fma(scores[n][e], c.factor, -pivot));
#else
          scores[n][e] = fast_exp2((scores[n][e] - rowMax[r]) * c.factor);
#endif
          rowSum[r] += scores[n][e];
        }
      }
    }

    AWAIT_ALL_BUT(PENDING_GROUPS);
    sync_warp();
    if (covered == 1 || c.hasBias) {
      add_nonfinite(w, valueTile - base, marks + w.warp * MARK_WORDS, &flag, scores, out);
    }
    UNROLL
    for (int k = 0; k < WARP_KEYS / 16; k++) {
      uint p[4];
      UNROLL
      for (int e = 0; e < 4; e++) {
        p[e] = pack(scores[2 * k + e / 2][e % 2 * 2], scores[2 * k + e / 2][e % 2 * 2 + 1]);
      }
      UNROLL
      for (int n = 0; n < DV / 16; n++) {
        uint pair[4];
        load_transposed(w, valueTile + chunk_offset(k * 16 + w.lane % 16, 2 * n + w.lane / 16, DV / PER_CHUNK_16),
                        pair);
        UNROLL
        for (int side = 0; side < 2; side++) {
          mma(w, p, pair[2 * side], pair[2 * side + 1], out[2 * n + side]);
        }
      }
    }
    sync_warp();
    if (nextFrom < end) {
      copy_warp_rows(w, valueTile, value + nextRow * c.value.rowStride, c.value.rowStride, keyEnd - next, valueHeadDim,
                     DV);
    }
    commit_copies();
    stage = stage + 1 == STAGES ? 0 : stage + 1;
  }

  UNROLL
  for (int r = 0; r < 2; r++) {
    UNROLL
    for (int mask = 1; mask <= 2; mask++) {
      rowSum[r] += shuffle_xor(w, rowSum[r], mask);
    }
    if (w.lane % 4 == 0) {
      const int start = 2 * (w.warp * ROWS + w.lane / 4 + r * 8);
      warpStates[start] = rowMax[r];
      warpStates[start + 1] = rowSum[r];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  local float* warpSums = (local float*)staged;
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.lane / 4 + r * 8;
    float top = rowMax[r];
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      top = fmax(top, warpStates[2 * (other * ROWS + row)]);
    }
    const float rescale = fast_exp2((rowMax[r] - top) * c.factor);
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 2; e++) {
        warpSums[(w.warp * ROWS + row) * DV + n * 8 + w.lane % 4 * 2 + e] =
            rowSum[r] == 0 ? 0 : out[n][2 * r + e] * rescale;
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const long first = ((split * c.batches + b) * c.heads + head) * queries;
  for (int x = w.item; x < rows * DV; x += ITEMS) {
    const int row = x / DV, column = x % DV;
    float sum = 0;
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      sum += warpSums[other * ROWS * DV + x];
    }
    if (column < valueHeadDim) {
      sums[(first + row) * valueHeadDim + column] = sum;
    }
  }
  if (w.item < rows) {
    float top = EMPTY_MAX, total = 0;
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      top = fmax(top, warpStates[2 * (other * ROWS + w.item)]);
    }
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      const int start = 2 * (other * ROWS + w.item);
      total += warpStates[start + 1] == 0 ? 0 : warpStates[start + 1] * fast_exp2((warpStates[start] - top) * c.factor);
    }
    states[2 * (first + w.item)] = top;
    states[2 * (first + w.item) + 1] = total;
  }
}
