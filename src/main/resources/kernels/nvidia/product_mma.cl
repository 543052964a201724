// to = left right + bias on matrix units, for two f16 or two bf16 matrices: what product.cl computes, with sums in f32. A
// work-group computes BM x BN cells, a warp BLOCKS * 16 x KEYS of them in registers, from slices of both operands that come
// past the registers, STAGES - 1 of them ahead. An operand lies in rows, or turned in columns: fragments are read straight or
// transposed, the slices are copied as they lie.
#include "element.h"
#include "nvidia/mma.h"

#ifndef D // depth of a slice
#define D 32
#endif
#ifndef DV // columns of a work-group
#define DV 128
#endif
#ifndef WARPS
#define WARPS 4
#endif
#ifndef BLOCKS // of 16 rows of a warp
#define BLOCKS 4
#endif
#ifndef KEYS // columns of a warp
#define KEYS 64
#endif
#ifndef STAGES
#define STAGES 3
#endif
#ifndef TO // storage of the result
#define TO STORAGE
#endif
#ifndef LEFT_TURNED // whether neighbours in memory are neighbours of a column of `left`
#define LEFT_TURNED 0
#endif
#ifndef RIGHT_TURNED
#define RIGHT_TURNED 0
#endif
#define ITEMS (WARPS * WARP)
#define ACROSS (DV / KEYS) // warps
#define BM (WARPS / ACROSS * BLOCKS * 16)
#define BN DV
#define LEFT_BYTES (BM * D * 2)
#define STAGE_BYTES (LEFT_BYTES + D * BN * 2)
#define TALL 8 // blocks of rows whose work-groups follow each other column by column: they meet in the cache
#if STAGES == 2
#define BEHIND 0
#elif STAGES == 3
#define BEHIND 1
#else
#error "two or three stages"
#endif
#if D % 32 != 0 || DV % KEYS != 0 || WARPS % ACROSS != 0 || KEYS % 16 != 0 || BM % 32 != 0 || BN % 32 != 0
#error "tiles are whole blocks"
#endif

typedef struct {
  long at, row, column;
} Matrix;

typedef struct {
  Matrix left, right, to;
  long rows, columns, depth, hasBias, continues;
} Product;

typedef STORED(TO) result;

// Starts copying a tile of `lines` lines, of which `count` are there, with `width` of their numbers; `line` numbers apart.
INLINE void copy_lines(Warp w, uint to, global const ushort* from, long line, long count, int lines, long width,
                       int numbers) {
  const int chunks = numbers / EIGHT, across = chunks % 8 == 0 ? 8 : 4, down = ITEMS / across;
  const int first = w.item / across, chunk = w.item % across;
  to += place(first, chunk, chunks);
  from += first * line + chunk * EIGHT;
  UNROLL
  for (int m = 0; m < lines; m += down) {
    UNROLL
    for (int d = 0; d < chunks; d += across) {
      const int there = (int)clamp(width - (chunk + d) * EIGHT, (long)0, (long)EIGHT);
      if (lines % down == 0 || m + first < lines) {
        copy_chunk(w, to + (m * chunks + d) * CHUNK, from + d * EIGHT, m + first < count ? 2 * there : 0);
      }
    }
    from += down * line;
  }
}

INLINE void copy_slice(const Product* p, Warp w, uint to, global const ushort* left, global const ushort* right, long row0,
                       long column0, long k0) {
  const long rows = p->rows - row0, columns = p->columns - column0, depth = p->depth - k0;
#if LEFT_TURNED
  copy_lines(w, to, left + k0 * p->left.column + row0, p->left.column, depth, D, rows, BM);
#else
  copy_lines(w, to, left + row0 * p->left.row + k0, p->left.row, rows, BM, depth, D);
#endif
#if RIGHT_TURNED
  copy_lines(w, to + LEFT_BYTES, right + column0 * p->right.column + k0, p->right.column, columns, BN, depth, D);
#else
  copy_lines(w, to + LEFT_BYTES, right + k0 * p->right.row + column0, p->right.row, depth, D, columns, BN);
#endif
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void product_mma(
    const Product p, global const ushort* left, global const ushort* right, global result* to,
    global const real* bias) {
  local ushort staged[STAGES * STAGE_BYTES / 2] __attribute__((aligned(128)));
  local float met[MET_WORDS];
  Warp w = warp_of(staged, met, (int)get_local_id(0));
  const uint base = origin(w);
  const long down = (p.rows + BM - 1) / BM, across = (p.columns + BN - 1) / BN;
  const long tall = get_group_id(0) / (TALL * across), within = get_group_id(0) % (TALL * across);
  const long rowsThere = min((long)TALL, down - tall * TALL);
  const long row0 = (tall * TALL + within % rowsThere) * BM, column0 = within / rowsThere * BN;
  left += p.left.at;
  right += p.right.at;

  float cells[BLOCKS][KEYS / 8][4];
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
  for (int s = 0; s < STAGES - 1; s++) {
    if (s * D < p.depth) {
      copy_slice(&p, w, base + s * STAGE_BYTES, left, right, row0, column0, s * D);
    }
    commit_copies();
  }
  int stage = 0, later = STAGES - 1;
  for (long k0 = 0; k0 < p.depth; k0 += D) {
    w = warp_of(staged, met, opaque(w.item));
    AWAIT_ALL_BUT(BEHIND);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (k0 + (STAGES - 1) * D < p.depth) {
      copy_slice(&p, w, base + later * STAGE_BYTES, left, right, row0, column0, k0 + (STAGES - 1) * D);
    }
    commit_copies();
    const uint leftTile = base + stage * STAGE_BYTES, rightTile = leftTile + LEFT_BYTES;
    const int firstRow = w.warp / ACROSS * BLOCKS * 16, firstColumn = w.warp % ACROSS * KEYS;
    UNROLL
    for (int k = 0; k < D / 16; k++) {
      uint x[BLOCKS][4];
      UNROLL
      for (int m = 0; m < BLOCKS; m++) {
#if LEFT_TURNED
        const uint line = k * 16 + w.lane % 8 + w.lane / 16 * 8, chunk = (firstRow + m * 16) / EIGHT + w.lane / 8 % 2;
        load_transposed(w, leftTile + place(line, chunk, BM / EIGHT), x[m]);
#else
        load_matrices(w, leftTile + place(firstRow + m * 16 + w.lane % 16, 2 * k + w.lane / 16, D / EIGHT), x[m]);
#endif
      }
      UNROLL
      for (int n = 0; n < KEYS / 16; n++) {
        uint pair[4];
#if RIGHT_TURNED
        const uint line = firstColumn + n * 16 + w.lane % 8 + w.lane / 16 * 8;
        load_matrices(w, rightTile + place(line, 2 * k + w.lane / 8 % 2, D / EIGHT), pair);
#else
        const uint chunk = firstColumn / EIGHT + 2 * n + w.lane / 16;
        load_transposed(w, rightTile + place(k * 16 + w.lane % 16, chunk, BN / EIGHT), pair);
#endif
        UNROLL
        for (int m = 0; m < BLOCKS; m++) {
          UNROLL
          for (int side = 0; side < 2; side++) {
            multiply(w, x[m], pair[2 * side], pair[2 * side + 1], cells[m][2 * n + side]);
          }
        }
      }
    }
    stage = stage + 1 == STAGES ? 0 : stage + 1;
    later = later + 1 == STAGES ? 0 : later + 1;
  }

  const bool pairs = p.to.column == 1 && ((p.to.at | p.to.row | p.columns) & 1) == 0;
  UNROLL
  for (int m = 0; m < BLOCKS; m++) {
    UNROLL
    for (int r = 0; r < 2; r++) {
      const long row = row0 + w.warp / ACROSS * BLOCKS * 16 + m * 16 + w.lane / 4 + r * 8;
      UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        const long column = column0 + w.warp % ACROSS * KEYS + n * 8 + w.lane % 4 * 2;
        if (row < p.rows && column < p.columns) {
          const bool second = column + 1 < p.columns;
          const long at = p.to.at + row * p.to.row + column * p.to.column, next = at + p.to.column;
          float x = cells[m][n][2 * r], y = cells[m][n][2 * r + 1];
          if (p.continues) {
            x += LOAD(TO, to, at);
            y += second ? LOAD(TO, to, next) : 0;
          }
          if (p.hasBias) {
            x += bias[column];
            y += second ? bias[column + 1] : 0;
          }
          if (pairs) {
#if TO == 32
            vstore2((float2)(x, y), 0, (global float*)to + at);
#else
            ((global uint*)to)[at / 2] = pack(x, y);
#endif
          } else {
            STORE(TO, x, to, at);
            if (second) {
              STORE(TO, y, to, next);
            }
          }
        }
      }
    }
  }
}
