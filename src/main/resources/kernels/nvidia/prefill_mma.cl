// Attention of many queries on matrix units, for f16, bf16 and f32 whose products may be of tf32: a warp owns BLOCKS blocks of
// 16 queries, whose rows, scores, weights and sums stay in its registers from the first key to the last. Keys and values come
// in tiles of KEYS rows, copied past the registers while others are computed with: two tiles of each in turn (STAGES 2), or
// one of each, the values coming during the scores and the next keys during the sums (STAGES 1).
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
#define WARPS 4
#endif
#ifndef BLOCKS
#define BLOCKS 2
#endif
#ifndef KEYS
#define KEYS 64
#endif
#ifndef STAGES
#define STAGES 2
#endif
#ifndef FOLDED // whether a score meets the factor and the largest score in one multiply-add: scores are bare, factors below 1
#define FOLDED 0
#endif
#ifndef WHOLE // whether the widths are those of the tiles
#define WHOLE 0
#endif
#define ITEMS (WARPS * WARP)
#define BM (WARPS * BLOCKS * 16)
#define KEY_BYTES (KEYS * D * BYTES)
#define VALUE_BYTES (KEYS * DV * BYTES)
#define STAGE_BYTES (KEY_BYTES + VALUE_BYTES)
#define TILE_BYTES (STAGES * STAGE_BYTES)
#define QUERY_COLUMNS (BM * D * BYTES <= TILE_BYTES ? D : D % 64 == 0 ? 64 : 32) // of the queries on their way to registers
#define MARKS (BM * KEYS / 32)
#if D % 32 != 0 || DV % 32 != 0 || KEYS % 16 != 0
#error "tiles are whole blocks"
#endif
#include "nvidia/rows.h"

typedef STORED(STORAGE) element;
#if STORAGE == 32
#define STORE_PAIR(x, y, at) vstore2((float2)(x, y), 0, output + (at))
#else
#define STORE_PAIR(x, y, at) (((global uint*)output)[(at) / 2] = pack(x, y))
#endif

// Turns products into modified scores, minus infinity where hidden or where there is no key.
INLINE void hide(const Call* c, Warp w, Band band, global const uchar* dense, global const real* bias, real slope, long b,
                 long h, int i, int queries, int j, int keys, int covered, float cells[BLOCKS][KEYS / 8][4]) {
  UNROLL
  for (int m = 0; m < BLOCKS; m++) {
    UNROLL
    for (int e = 0; e < 4; e++) {
      const int row = (w.warp * BLOCKS + m) * 16 + w.lane / 4 + e / 2 * 8;
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
        bool seen = n * 8 >= near && n * 8 < far;
#if MODIFIED
        if (seen) {
          cells[m][n][e] = modified(c, cells[m][n][e], bias, slope, b, h, i + row, j + n * 8 + column);
        }
#endif
        if (c->hasDense && covered == 1 && seen) {
          seen = takes_part(c, band, dense, b, h, i + row, j + n * 8 + column);
        }
        cells[m][n][e] = seen ? cells[m][n][e] : -INFINITY;
      }
    }
  }
}

// Adds the values that are infinite or NaN, see strange.h. `offset` counts bytes from the tiles' begin.
INLINE void add_strange(Warp w, uint offset, local uint* marks, local int* flag, float cells[BLOCKS][KEYS / 8][4],
                        float out[BLOCKS][DV / 8][4]) {
  bool mine = false;
  for (int x = w.item; x < KEYS * DV; x += ITEMS) {
    mine = mine || is_strange(w.tiles[offset / BYTES + x]);
  }
  if (!any_item(w, mine, flag)) {
    return;
  }
  for (int x = w.item; x < MARKS; x += ITEMS) {
    marks[x] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int first = w.warp * BLOCKS * 16 + w.lane / 4; // of this item's rows
  UNROLL
  for (int m = 0; m < BLOCKS; m++) {
    UNROLL
    for (int n = 0; n < KEYS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        const int bit = (first + m * 16 + e / 2 * 8) * KEYS + n * 8 + w.lane % 4 * 2 + e % 2;
        if (cells[m][n][e] != 0) {
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
        const uint bits = w.tiles[(offset + place(k, 2 * n + w.lane % 4 / 2, DV / PER_CHUNK)) / 4 + w.lane % 2 * 2 + e % 2];
#else
        const ushort bits = w.tiles[(offset + place(k, n, DV / EIGHT)) / 2 + w.lane % 4 * 2 + e % 2];
#endif
        if (is_strange(bits)) {
          UNROLL
          for (int m = 0; m < BLOCKS; m++) {
            const int bit = (first + m * 16 + e / 2 * 8) * KEYS + k;
            if (marks[bit / 32] >> bit % 32 & 1) {
              out[m][n][e] += weighed(bits);
            }
          }
        }
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.item; x < KEYS * DV; x += ITEMS) {
    if (is_strange(w.tiles[offset / BYTES + x])) {
      w.tiles[offset / BYTES + x] = 0;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// Groups: column blocks of the values, then heads, then blocks of queries from the last, whose causal rows are longest. `state`
// receives the largest score and the inverse sum of every row.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void prefill_mma(
    const Call c, global const stored* query, global const stored* key, global const stored* value,
    global element* output, global real* state, global real* lse, global const Band* bands, global const uchar* dense,
    global const uchar* tiles, global const real* bias, global const real* slopes, global const real* sinks) {
  local stored staged[TILE_BYTES / BYTES] __attribute__((aligned(128)));
  local float met[MET_WORDS];
  local uint marks[MARKS];
  local int flag;
  Warp w = warp_of(staged, met, (int)get_local_id(0));
  const uint base = origin(w);
  const long blocks = (c.queries + BM - 1) / BM, heads = c.batches * c.heads;
  const long columnBlocks = (c.valueWidth + DV - 1) / DV, task = get_group_id(0) / columnBlocks;
  const int columnFrom = (int)(get_group_id(0) % columnBlocks) * DV;
  const long bh = task % heads, kh = bh % c.heads / (c.heads / c.keyHeads);
  const int b = (int)(bh / c.heads), h = (int)(bh % c.heads), first = (int)(blocks - 1 - task / heads) * BM;
  const int queries = (int)min((long)BM, c.queries - first);
  const int i = first + (int)c.queryFrom;
  const Band band = bands[b];
  const real slope = c.hasSlopes ? slopes[h] : 0;
  key += c.key.at + b * c.key.batch + kh * c.key.head;
  value += c.value.at + b * c.value.batch + kh * c.value.head + columnFrom;
  const int width = (int)c.width, valueWidth = (int)c.valueWidth - columnFrom;
  if (w.item == 0) {
    flag = 0;
  }

  uint q[BLOCKS][D / DEPTH][4];
  UNROLL
  for (int d0 = 0; d0 < D; d0 += QUERY_COLUMNS) {
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_rows(w, base, query + c.query.at + b * c.query.batch + h * c.query.head + first * c.query.row + d0, c.query.row,
              queries, BM, width - d0, QUERY_COLUMNS);
    commit_copies();
    await_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int m = 0; m < BLOCKS; m++) {
      UNROLL
      for (int k = 0; k < QUERY_COLUMNS / DEPTH; k++) {
        const uint row = (w.warp * BLOCKS + m) * 16 + w.lane % 16;
        load_matrices(w, base + place(row, 2 * k + w.lane / 16, QUERY_COLUMNS / PER_CHUNK), q[m][d0 / DEPTH + k]);
#if STORAGE == 32
        round_fragment(q[m][d0 / DEPTH + k]);
#endif
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  float cells[BLOCKS][KEYS / 8][4], out[BLOCKS][DV / 8][4];
  float most[BLOCKS][2], part[BLOCKS][2];
  UNROLL
  for (int m = 0; m < BLOCKS; m++) {
    UNROLL
    for (int r = 0; r < 2; r++) {
      most[m][r] = NOTHING;
      part[m][r] = 0;
    }
    UNROLL
    for (int n = 0; n < DV / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        out[m][n][e] = 0;
      }
    }
  }

  const int2 range = seen_keys(&c, band, i, i + queries, KEYS);
  const int keyEnd = (int)(c.keyFrom + c.keys);
  int j = range.x, covered = 0, stage = 0;
  while (j < range.y && (covered = cover(&c, band, tiles, b, h, i, i + queries, j, min(j + KEYS, keyEnd))) == 0) {
    j += KEYS;
  }
  if (j < range.y) {
    const int keys = min(KEYS, keyEnd - j);
    const long row = j - c.keyFrom;
    copy_rows(w, base, key + row * c.key.row, c.key.row, keys, KEYS, width, D);
    if (STAGES == 2) {
      copy_rows(w, base + KEY_BYTES, value + row * c.value.row, c.value.row, keys, KEYS, valueWidth, DV);
    }
    commit_copies();
  }
  while (j < range.y) {
    w = warp_of(staged, met, opaque(w.item));
    const int keys = min(KEYS, keyEnd - j);
    int next = j + KEYS, nextCovered = 0;
    while (next < range.y
           && (nextCovered = cover(&c, band, tiles, opaque(b), opaque(h), opaque(i), opaque(i) + queries, next,
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
      copy_rows(w, valueTile, value + (j - c.keyFrom) * c.value.row, c.value.row, keys, KEYS, valueWidth, DV);
    } else if (next < range.y) {
      const uint other = base + (1 - stage) * STAGE_BYTES;
      copy_rows(w, other, key + nextRow * c.key.row, c.key.row, nextKeys, KEYS, width, D);
      copy_rows(w, other + KEY_BYTES, value + nextRow * c.value.row, c.value.row, nextKeys, KEYS, valueWidth, DV);
    }
    commit_copies();

    UNROLL
    for (int m = 0; m < BLOCKS; m++) {
      UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          cells[m][n][e] = 0;
        }
      }
    }
    UNROLL
    for (int k = 0; k < D / DEPTH; k++) {
      UNROLL
      for (int n = 0; n < KEYS / 16; n++) {
        uint pair[4];
        load_matrices(
            w, keyTile + place(n * 16 + w.lane % 8 + w.lane / 16 * 8, 2 * k + w.lane / 8 % 2, D / PER_CHUNK), pair);
#if STORAGE == 32
        round_fragment(pair);
#endif
        UNROLL
        for (int m = 0; m < BLOCKS; m++) {
          UNROLL
          for (int side = 0; side < 2; side++) {
            multiply(w, q[m][k], pair[2 * side], pair[2 * side + 1], cells[m][2 * n + side]);
          }
        }
      }
    }
    if (STAGES == 1) {
      await_copies();
      barrier(CLK_LOCAL_MEM_FENCE);
      if (next < range.y) {
        copy_rows(w, keyTile, key + nextRow * c.key.row, c.key.row, nextKeys, KEYS, width, D);
      }
      commit_copies();
    }

    if (MODIFIED || covered == 1 || keys < KEYS) {
      hide(&c, w, band, dense, bias, slope, opaque(b), opaque(h), opaque(i), queries, j, keys, covered, cells);
    }
    UNROLL
    for (int m = 0; m < BLOCKS; m++) {
      UNROLL
      for (int r = 0; r < 2; r++) {
        float larger = -INFINITY; // a NaN is passed over; it spoils its own sum
        UNROLL
        for (int n = 0; n < KEYS / 8; n++) {
          larger = fmax(larger, fmax(cells[m][n][2 * r], cells[m][n][2 * r + 1]));
        }
        UNROLL
        for (int mask = 1; mask <= 2; mask++) {
          larger = fmax(larger, from_lane(w, larger, mask));
        }
        if (larger > most[m][r]) {
#if FOLDED
          const float before = most[m][r] * c.factor, now = larger * c.factor;
          const float shrink = two_to(is_far(before) || is_far(now) ? (most[m][r] - larger) * c.factor : before - now);
#else
          const float shrink = two_to((most[m][r] - larger) * c.factor);
#endif
          most[m][r] = larger;
          part[m][r] *= shrink;
          UNROLL
          for (int n = 0; n < DV / 8; n++) {
            out[m][n][2 * r] *= shrink;
            out[m][n][2 * r + 1] *= shrink;
          }
        }
#if FOLDED
        float pivot = most[m][r] * c.factor;
        if (is_far(pivot)) {
          pivot = 0;
          UNROLL
          for (int n = 0; n < KEYS / 8; n++) {
            cells[m][n][2 * r] -= most[m][r];
            cells[m][n][2 * r + 1] -= most[m][r];
          }
        }
#endif
        UNROLL
        for (int n = 0; n < KEYS / 8; n++) {
          UNROLL
          for (int e = 2 * r; e < 2 * r + 2; e++) {
#if FOLDED
            cells[m][n][e] = two_to(fma(cells[m][n][e], c.factor, -pivot));
#else
            cells[m][n][e] = two_to((cells[m][n][e] - most[m][r]) * c.factor);
#endif
            part[m][r] += cells[m][n][e];
          }
        }
      }
    }

    if (covered == 1 || c.hasBias) {
      add_strange(w, valueTile - base, marks, &flag, cells, out);
    }
    converge();
#if STORAGE == 32
    // A weight's columns are 2 (lane % 4) and the next, the instruction's lane % 4 and that + 4: it may as well add up the
    // keys in this order, if the values' rows have it too.
    UNROLL
    for (int k = 0; k < KEYS / 8; k++) {
      uint p[BLOCKS][4];
      UNROLL
      for (int m = 0; m < BLOCKS; m++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          p[m][e] = tf32(as_uint(cells[m][k][e % 2 * 2 + e / 2]));
        }
      }
      UNROLL
      for (int n = 0; n < DV / 8; n++) {
        const int row = k * 8 + w.lane % 4 * 2, chunk = 2 * n + w.lane / 16, word = w.lane / 4 % 4;
        const uint low = tf32(w.tiles[(valueTile - base + place(row, chunk, DV / PER_CHUNK)) / BYTES + word]);
        const uint high = tf32(w.tiles[(valueTile - base + place(row + 1, chunk, DV / PER_CHUNK)) / BYTES + word]);
        UNROLL
        for (int m = 0; m < BLOCKS; m++) {
          multiply(w, p[m], low, high, out[m][n]);
        }
      }
    }
#else
    UNROLL
    for (int k = 0; k < KEYS / 16; k++) {
      uint p[BLOCKS][4];
      UNROLL
      for (int m = 0; m < BLOCKS; m++) {
        UNROLL
        for (int e = 0; e < 4; e++) {
          p[m][e] = pack(cells[m][2 * k + e / 2][e % 2 * 2], cells[m][2 * k + e / 2][e % 2 * 2 + 1]);
        }
      }
      UNROLL
      for (int n = 0; n < DV / 16; n++) {
        uint pair[4];
        load_transposed(w, valueTile + place(k * 16 + w.lane % 16, 2 * n + w.lane / 16, DV / EIGHT), pair);
        UNROLL
        for (int m = 0; m < BLOCKS; m++) {
          UNROLL
          for (int side = 0; side < 2; side++) {
            multiply(w, p[m], pair[2 * side], pair[2 * side + 1], out[m][2 * n + side]);
          }
        }
      }
    }
#endif
    stage = STAGES == 2 ? 1 - stage : 0;
    j = next;
    covered = nextCovered;
  }

  const bool pairs = ((c.output.at | c.output.batch | c.output.head | c.output.row | c.valueWidth) & 1) == 0;
  UNROLL
  for (int m = 0; m < BLOCKS; m++) {
    UNROLL
    for (int r = 0; r < 2; r++) {
      float sum = part[m][r];
      UNROLL
      for (int mask = 1; mask <= 2; mask++) {
        sum += from_lane(w, sum, mask);
      }
      const int row = (w.warp * BLOCKS + m) * 16 + w.lane / 4 + r * 8;
      if (row < queries) {
        const Row ended = finished(&c, most[m][r], sum, c.hasSink ? sinks[h] : 0);
        const long at = c.output.at + b * c.output.batch + h * c.output.head + (first + row) * c.output.row
            + columnFrom;
        if (w.lane % 4 == 0 && columnFrom == 0) {
          const long n = bh * c.queries + first + row;
          state[2 * n] = most[m][r];
          state[2 * n + 1] = ended.inverse;
          lse[n] = ended.lse;
        }
        UNROLL
        for (int n = 0; n < DV / 8; n++) {
          const int column = n * 8 + w.lane % 4 * 2;
          const float x = ended.inverse == 0 ? 0 : out[m][n][2 * r] * ended.inverse;
          const float y = ended.inverse == 0 ? 0 : out[m][n][2 * r + 1] * ended.inverse;
          if (pairs && column < valueWidth) {
            STORE_PAIR(x, y, at + column);
          } else if (column < valueWidth) {
            STORE(STORAGE, x, output, at + column);
            if (column + 1 < valueWidth) {
              STORE(STORAGE, y, output, at + column + 1);
            }
          }
        }
      }
    }
  }
}
