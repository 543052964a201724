// Attention of few queries on matrix units, for f16 and bf16: memory is the limit, so every key is read once for all query rows
// that share it, up to the sixteen of one block. A work-group reads one part of the keys of one key head; of every tile each
// warp has keys of its own, which it copies and computes with by itself: no warp waits for another before the end, where
// their states become one. Keys and values of STAGES tiles are on their way.
#include "score.h"
#include "nvidia/mma.h"
#include "nvidia/strange.h"

#ifndef D // numbers of a query and a key in a tile; what the width leaves is zeros
#define D 64
#endif
#ifndef DV
#define DV 64
#endif
#ifndef WARPS
#define WARPS 2
#endif
#ifndef KEYS // of a tile, of all warps
#define KEYS 32
#endif
#ifndef STAGES
#define STAGES 2
#endif
#ifndef FOLDED // as in prefill_mma.cl
#define FOLDED 0
#endif
#ifndef WHOLE // whether the widths are those of the tiles
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)
#define ROWS 16
#define MINE (KEYS / WARPS) // keys of a warp
#define KEY_BYTES (MINE * D * 2)
#define STAGE_BYTES (KEY_BYTES + MINE * DV * 2)
#define WARP_BYTES (STAGES * STAGE_BYTES)
#define TILE_BYTES (WARPS * WARP_BYTES)
#define HELD (D > 192) // whether queries lie in local memory, behind the tiles, for want of registers
#define QUERY_BYTES (HELD ? ROWS * D * 2 : 0)
#define MARKS (ROWS * MINE / 32) // of a warp
#if STAGES == 1                  // groups of copies behind the one that is waited for: keys and values are one each
#define BEHIND 1
#elif STAGES == 2
#define BEHIND 3
#elif STAGES == 3
#define BEHIND 5
#else
#error "one to three stages"
#endif
#if D % 32 != 0 || DV % 32 != 0 || KEYS % (16 * WARPS) != 0
#error "tiles are whole blocks"
#endif
#if WARPS * ROWS * DV * 4 > TILE_BYTES
#error "the sums of all warps lie where the tiles were"
#endif

// Starts copying the warp's rows of a tile, of which `count` are there, and `width` of their numbers.
INLINE void copy_mine(Warp w, uint to, global const ushort* from, long row, int count, int width, int columns) {
  const int chunks = columns / EIGHT, across = chunks % 8 == 0 ? 8 : 4, down = WARP / across;
  const int first = w.lane / across, chunk = w.lane % across;
  from += first * row + chunk * EIGHT;
  UNROLL
  for (int m = 0; m < MINE; m += down) {
    UNROLL
    for (int d = 0; d < chunks; d += across) {
      const int there = WHOLE ? EIGHT : clamp(width - (chunk + d) * EIGHT, 0, EIGHT);
      copy_chunk(w, to + place(m + first, chunk + d, chunks), from + d * EIGHT, m + first < count ? 2 * there : 0);
    }
    from += down * row;
  }
}

INLINE uint query_word(global const ushort* row, int column, int width) {
#if WHOLE
  return *(global const uint*)(row + column);
#else
  const uint low = column < width ? row[column] : 0, high = column + 1 < width ? row[column + 1] : 0;
  return low | high << 16;
#endif
}

// Turns products of the warp's keys, from `j` on, into modified scores, minus infinity where hidden or where there is no key.
INLINE void hide(const Call* c, Warp w, Band band, global const uchar* dense, global const real* bias,
                 global const real* slopes, long b, long head, int rows, int j, int keys, int covered,
                 float cells[MINE / 8][4]) {
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
    for (int n = 0; n < MINE / 8; n++) {
      UNROLL
      for (int e = 0; e < 2; e++) {
        const int column = n * 8 + w.lane % 4 * 2 + e;
        bool seen = column >= near && column < far;
#if MODIFIED
        if (seen) {
          cells[n][2 * r + e] = modified(c, cells[n][2 * r + e], bias, slope, b, h, i, j + column);
        }
#endif
        if (c->hasDense && covered == 1 && seen) {
          seen = takes_part(c, band, dense, b, h, i, j + column);
        }
        cells[n][2 * r + e] = seen ? cells[n][2 * r + e] : -INFINITY;
      }
    }
  }
}

// Adds the values of the warp's keys that are infinite or NaN, see strange.h. `offset` counts bytes from the tiles' begin.
INLINE void add_strange(Warp w, uint offset, local uint* marks, local int* flag, float cells[MINE / 8][4],
                        float out[DV / 8][4]) {
  bool mine = false;
  for (int x = w.lane; x < MINE * DV; x += WARP) {
    mine = mine || is_strange(w.tiles[offset / 2 + x]);
  }
  if (!any_item(w, mine, flag)) {
    return;
  }
  for (int x = w.lane; x < MARKS; x += WARP) {
    marks[x] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int n = 0; n < MINE / 8; n++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      const int bit = (w.lane / 4 + e / 2 * 8) * MINE + n * 8 + w.lane % 4 * 2 + e % 2;
      if (cells[n][e] != 0) {
        atomic_or(marks + bit / 32, 1u << bit % 32);
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int key = 0; key < MINE; key++) {
    const int k = opaque(key);
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        const ushort bits = w.tiles[(offset + place(k, n, DV / EIGHT)) / 2 + w.lane % 4 * 2 + e % 2];
        const int bit = (w.lane / 4 + e / 2 * 8) * MINE + k;
        if (is_strange(bits) && (marks[bit / 32] >> bit % 32 & 1)) {
          out[n][e] += weighed(bits);
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.lane; x < MINE * DV; x += WARP) {
    if (is_strange(w.tiles[offset / 2 + x])) {
      w.tiles[offset / 2 + x] = 0;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// Groups: `parts` of the keys that anybody sees in a batch, whole tiles, each part for all key heads. `states`: max and sum of
// [part][batch][head][query]; `sums` [part][batch][head][query][valueWidth].
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void decode_mma(
    const Call c, const long parts, global const ushort* query, global const ushort* key, global const ushort* value,
    global real* sums, global real* states, global const Band* bands, global const uchar* dense,
    global const real* bias, global const real* slopes) {
  local ushort staged[(TILE_BYTES + QUERY_BYTES) / 2] __attribute__((aligned(128)));
  local float met[MET_WORDS];
  local float told[2 * WARPS * ROWS]; // the largest score and the sum of every row, by warp
  local uint marks[WARPS * MARKS];
  local int flag;
  Warp w = warp_of(staged, met, (int)get_local_id(0));
  const uint base = origin(w);
  const long keyHeads = c.batches * c.keyHeads;
  const long part = get_group_id(0) / keyHeads, bk = get_group_id(0) % keyHeads, b = bk / c.keyHeads,
             kh = bk % c.keyHeads;
  const int queries = (int)c.queries, rows = (int)(c.heads / c.keyHeads) * queries;
  const long head = kh * (c.heads / c.keyHeads);
  const int width = (int)c.width, valueWidth = (int)c.valueWidth, i = (int)c.queryFrom;
  const Band band = bands[b];
  key += c.key.at + b * c.key.batch + kh * c.key.head;
  value += c.value.at + b * c.value.batch + kh * c.value.head;
  if (w.item == 0) {
    flag = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  const int2 range = seen_keys(&c, band, i, i + queries, KEYS);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  const long tiles = (max((long)range.y - range.x, (long)0) + KEYS - 1) / KEYS;
  const int from = range.x + (int)(tiles * part / parts) * KEYS;
  const int end = min(range.y, range.x + (int)(tiles * (part + 1) / parts) * KEYS);
  UNROLL
  for (int s = 0; s < STAGES; s++) {
    const int j = from + s * KEYS + w.warp * MINE;
    const long row = j - c.keyFrom;
    const uint tile = base + w.warp * WARP_BYTES + s * STAGE_BYTES;
    if (from + s * KEYS < end) {
      copy_mine(w, tile, key + row * c.key.row, c.key.row, keyEnd - j, width, D);
    }
    commit_copies();
    if (from + s * KEYS < end) {
      copy_mine(w, tile + KEY_BYTES, value + row * c.value.row, c.value.row, keyEnd - j, valueWidth, DV);
    }
    commit_copies();
  }

#if HELD
  for (int x = w.item; x < ROWS * D / 2; x += ITEMS) {
    const int row = x / (D / 2), column = x % (D / 2) * 2;
    global const ushort* at = query + c.query.at + b * c.query.batch + (head + row / queries) * c.query.head
        + row % queries * c.query.row;
    const uint word = row < rows ? query_word(at, column, width) : 0;
    const uint to = (TILE_BYTES + place(row, column / EIGHT, D / EIGHT)) / 2 + column % EIGHT;
    staged[to] = (ushort)word;
    staged[to + 1] = (ushort)(word >> 16);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#else
  uint q[D / 16][4];
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.lane / 4 + r * 8;
    global const ushort* at = query + c.query.at + b * c.query.batch + (head + row / queries) * c.query.head
        + row % queries * c.query.row;
    UNROLL
    for (int k = 0; k < D / 16; k++) {
      UNROLL
      for (int side = 0; side < 2; side++) {
        const int column = k * 16 + side * 8 + w.lane % 4 * 2;
        q[k][2 * side + r] = row < rows ? query_word(at, column, width) : 0;
      }
    }
  }
#endif
  float out[DV / 8][4], most[2] = {NOTHING, NOTHING}, share[2] = {0, 0};
  UNROLL
  for (int n = 0; n < DV / 8; n++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      out[n][e] = 0;
    }
  }

  int stage = 0;
  for (int tileFrom = from; tileFrom < end; tileFrom += KEYS) {
    w = warp_of(staged, met, opaque(w.item));
    const int j = tileFrom + w.warp * MINE, nextFrom = tileFrom + STAGES * KEYS, next = nextFrom + w.warp * MINE;
    const long nextRow = next - c.keyFrom;
    const int tileEnd = min(tileFrom + KEYS, keyEnd);
    const int covered = cover(&c, band, 0, b, 0, i, i + queries, tileFrom, tileEnd);
    const uint keyTile = base + w.warp * WARP_BYTES + stage * STAGE_BYTES, valueTile = keyTile + KEY_BYTES;
    float cells[MINE / 8][4];
    UNROLL
    for (int n = 0; n < MINE / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        cells[n][e] = 0;
      }
    }
    AWAIT_ALL_BUT(BEHIND);
    meet_warp();
    UNROLL
    for (int k = 0; k < D / 16; k++) {
#if HELD
      uint mine[4];
      load_matrices(w, base + TILE_BYTES + place(w.lane % 16, 2 * k + w.lane / 16, D / EIGHT), mine);
#else
      const uint* mine = q[k];
#endif
      UNROLL
      for (int n = 0; n < MINE / 16; n++) {
        uint pair[4];
        load_matrices(
            w, keyTile + place(n * 16 + w.lane % 8 + w.lane / 16 * 8, 2 * k + w.lane / 8 % 2, D / EIGHT), pair);
        UNROLL
        for (int side = 0; side < 2; side++) {
          multiply(w, mine, pair[2 * side], pair[2 * side + 1], cells[2 * n + side]);
        }
      }
    }
    meet_warp();
    if (nextFrom < end) {
      copy_mine(w, keyTile, key + nextRow * c.key.row, c.key.row, keyEnd - next, width, D);
    }
    commit_copies();

    if (MODIFIED || covered == 1 || tileEnd < tileFrom + KEYS) {
      hide(&c, w, band, dense, bias, slopes, b, head, rows, j, keyEnd - j, covered, cells);
    }
    UNROLL
    for (int r = 0; r < 2; r++) {
      float larger = -INFINITY; // a NaN is passed over; it spoils its own sum
      UNROLL
      for (int n = 0; n < MINE / 8; n++) {
        larger = fmax(larger, fmax(cells[n][2 * r], cells[n][2 * r + 1]));
      }
      UNROLL
      for (int mask = 1; mask <= 2; mask++) {
        larger = fmax(larger, from_lane(w, larger, mask));
      }
      if (larger > most[r]) {
#if FOLDED
        const float before = most[r] * c.factor, now = larger * c.factor;
        const float shrink = two_to(is_far(before) || is_far(now) ? (most[r] - larger) * c.factor : before - now);
#else
        const float shrink = two_to((most[r] - larger) * c.factor);
#endif
        most[r] = larger;
        share[r] *= shrink;
        UNROLL
        for (int n = 0; n < DV / 8; n++) {
          out[n][2 * r] *= shrink;
          out[n][2 * r + 1] *= shrink;
        }
      }
#if FOLDED
      float pivot = most[r] * c.factor;
      if (is_far(pivot)) {
        pivot = 0;
        UNROLL
        for (int n = 0; n < MINE / 8; n++) {
          cells[n][2 * r] -= most[r];
          cells[n][2 * r + 1] -= most[r];
        }
      }
#endif
      UNROLL
      for (int n = 0; n < MINE / 8; n++) {
        UNROLL
        for (int e = 2 * r; e < 2 * r + 2; e++) {
#if FOLDED
          cells[n][e] = two_to(fma(cells[n][e], c.factor, -pivot));
#else
          cells[n][e] = two_to((cells[n][e] - most[r]) * c.factor);
#endif
          share[r] += cells[n][e];
        }
      }
    }

    AWAIT_ALL_BUT(BEHIND);
    meet_warp();
    if (covered == 1 || c.hasBias) {
      add_strange(w, valueTile - base, marks + w.warp * MARKS, &flag, cells, out);
    }
    UNROLL
    for (int k = 0; k < MINE / 16; k++) {
      uint p[4];
      UNROLL
      for (int e = 0; e < 4; e++) {
        p[e] = pack(cells[2 * k + e / 2][e % 2 * 2], cells[2 * k + e / 2][e % 2 * 2 + 1]);
      }
      UNROLL
      for (int n = 0; n < DV / 16; n++) {
        uint pair[4];
        load_transposed(w, valueTile + place(k * 16 + w.lane % 16, 2 * n + w.lane / 16, DV / EIGHT), pair);
        UNROLL
        for (int side = 0; side < 2; side++) {
          multiply(w, p, pair[2 * side], pair[2 * side + 1], out[2 * n + side]);
        }
      }
    }
    meet_warp();
    if (nextFrom < end) {
      copy_mine(w, valueTile, value + nextRow * c.value.row, c.value.row, keyEnd - next, valueWidth, DV);
    }
    commit_copies();
    stage = stage + 1 == STAGES ? 0 : stage + 1;
  }

  UNROLL
  for (int r = 0; r < 2; r++) {
    UNROLL
    for (int mask = 1; mask <= 2; mask++) {
      share[r] += from_lane(w, share[r], mask);
    }
    if (w.lane % 4 == 0) {
      const int at = 2 * (w.warp * ROWS + w.lane / 4 + r * 8);
      told[at] = most[r];
      told[at + 1] = share[r];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  local float* joined = (local float*)staged;
  UNROLL
  for (int r = 0; r < 2; r++) {
    const int row = w.lane / 4 + r * 8;
    float top = most[r];
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      top = fmax(top, told[2 * (other * ROWS + row)]);
    }
    const float shrink = two_to((most[r] - top) * c.factor);
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 2; e++) {
        joined[(w.warp * ROWS + row) * DV + n * 8 + w.lane % 4 * 2 + e] = share[r] == 0 ? 0 : out[n][2 * r + e] * shrink;
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const long first = ((part * c.batches + b) * c.heads + head) * queries;
  for (int x = w.item; x < rows * DV; x += ITEMS) {
    const int row = x / DV, column = x % DV;
    float sum = 0;
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      sum += joined[other * ROWS * DV + x];
    }
    if (column < valueWidth) {
      sums[(first + row) * valueWidth + column] = sum;
    }
  }
  if (w.item < rows) {
    float top = NOTHING, total = 0;
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      top = fmax(top, told[2 * (other * ROWS + w.item)]);
    }
    UNROLL
    for (int other = 0; other < WARPS; other++) {
      const int at = 2 * (other * ROWS + w.item);
      total += told[at + 1] == 0 ? 0 : told[at + 1] * two_to((told[at] - top) * c.factor);
    }
    states[2 * (first + w.item)] = top;
    states[2 * (first + w.item) + 1] = total;
  }
}
