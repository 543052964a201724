// Matrix product to = left right + bias on matrix units, for two f16 or two bf16 matrices, with sums in f32; otherwise as
// product.cl. A work-group computes BM x BN cells, a warp ROW_BLOCKS * 16 x WARP_COLUMNS of them in registers. Slices of
// both operands are copied asynchronously, STAGES - 1 slices ahead.
//
// An operand is contiguous along its rows, or along its columns (LEFT_TRANSPOSED, RIGHT_TRANSPOSED). Slices are copied in
// the order of memory; fragments are loaded directly or transposed. A line is a contiguous row or column; it must begin at a
// multiple of 16 bytes.
//
// Groups of ITEMS work-items: sets of GROUPED_BLOCKS blocks of rows, then blocks of columns, then the row blocks of a set
// (innermost).
#include "element.h"
#include "nvidia/mma.h"

#ifndef DEPTH // depth of a slice
#define DEPTH 32
#endif
#ifndef GROUP_COLUMNS // columns of a work-group
#define GROUP_COLUMNS 128
#endif
#ifndef WARPS // warps of a work-group
#define WARPS 4
#endif
#ifndef ROW_BLOCKS // blocks of 16 rows of a warp
#define ROW_BLOCKS 4
#endif
#ifndef WARP_COLUMNS // columns of a warp
#define WARP_COLUMNS 64
#endif
#ifndef STAGES // slices in local memory
#define STAGES 3
#endif
#ifndef TO // storage type of the result
#define TO STORAGE
#endif
#ifndef LEFT_TRANSPOSED // 1 if the columns of `left` are contiguous
#define LEFT_TRANSPOSED 0
#endif
#ifndef RIGHT_TRANSPOSED // 1 if the columns of `right` are contiguous
#define RIGHT_TRANSPOSED 0
#endif
#define ITEMS (WARPS * WARP)                        // work-items of a group
#define WARPS_ACROSS (GROUP_COLUMNS / WARP_COLUMNS) // warps of a group across the columns
#define BM (WARPS / WARPS_ACROSS * ROW_BLOCKS * 16) // rows of a group
#define BN GROUP_COLUMNS                            // columns of a group
#define LEFT_BYTES (BM * DEPTH * 2)                 // a slice of `left`
#define STAGE_BYTES (LEFT_BYTES + DEPTH * BN * 2)   // a slice of both operands
// Blocks of rows whose work-groups run consecutively, one block of columns after another: they reuse operands in the cache.
#define GROUPED_BLOCKS 8
// PENDING_GROUPS: groups of copies that may still be incomplete when the kernel needs the oldest group.
#if STAGES == 2
#define PENDING_GROUPS 0
#elif STAGES == 3
#define PENDING_GROUPS 1
#else
#error "STAGES must be 2 or 3"
#endif
#if DEPTH % 32 != 0 || GROUP_COLUMNS % WARP_COLUMNS != 0 || WARPS % WARPS_ACROSS != 0 || WARP_COLUMNS % 16 != 0 \
    || BM % 32 != 0 || BN % 32 != 0
#error "the tiles are not whole blocks"
#endif

// Offset and strides of a matrix, in elements.
typedef struct {
  long offset, rowStride, columnStride;
} MatrixLayout;

// The arguments of a product, as in product.cl.
typedef struct {
  MatrixLayout left, right, to;
  long rows, columns, depth, hasBias, continues;
} Product;

typedef STORED(TO) result;

// Starts copying a tile of `lines` lines of `elements` elements. The matrix has `count` lines of `width` elements; they begin
// lineStride elements apart. The rest of the tile becomes zeros.
INLINE void copy_lines(Warp w, uint to, global const ushort* from, long lineStride, long count, int lines, long width,
                       int elements) {
  const int chunks = elements / PER_CHUNK_16, across = chunks % 8 == 0 ? 8 : 4, down = ITEMS / across;
  const int first = w.item / across, chunk = w.item % across;
  to += chunk_offset(first, chunk, chunks);
  from += first * lineStride + chunk * PER_CHUNK_16;
  UNROLL
  for (int m = 0; m < lines; m += down) {
    UNROLL
    for (int d = 0; d < chunks; d += across) {
      const int present = (int)clamp(width - (chunk + d) * PER_CHUNK_16, (long)0, (long)PER_CHUNK_16);
      if (lines % down == 0 || m + first < lines) {
        copy_chunk(w, to + (m * chunks + d) * CHUNK_BYTES, from + d * PER_CHUNK_16,
                   m + first < count ? 2 * present : 0);
      }
    }
    from += down * lineStride;
  }
}

// Starts copying slice [k0, k0 + DEPTH) of both operands.
INLINE void copy_slice(const Product* p, Warp w, uint to, global const ushort* left, global const ushort* right, long row0,
                       long column0, long k0) {
  const long rows = p->rows - row0, columns = p->columns - column0, depth = p->depth - k0;
#if LEFT_TRANSPOSED
  copy_lines(w, to, left + k0 * p->left.columnStride + row0, p->left.columnStride, depth, DEPTH, rows, BM);
#else
  copy_lines(w, to, left + row0 * p->left.rowStride + k0, p->left.rowStride, rows, BM, depth, DEPTH);
#endif
#if RIGHT_TRANSPOSED
  copy_lines(w, to + LEFT_BYTES, right + column0 * p->right.columnStride + k0, p->right.columnStride, columns, BN,
             depth, DEPTH);
#else
  copy_lines(w, to + LEFT_BYTES, right + k0 * p->right.rowStride + column0, p->right.rowStride, depth, DEPTH, columns,
             BN);
#endif
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void product_mma(
    const Product p, global const ushort* left, global const ushort* right, global result* to,
    global const real* bias) {
  local ushort staged[STAGES * STAGE_BYTES / 2] __attribute__((aligned(128)));
  local float exchange[EXCHANGE_FLOATS];
  Warp w = warp_of(staged, exchange, (int)get_local_id(0));
  const uint base = origin(w);
  const long down = (p.rows + BM - 1) / BM, across = (p.columns + BN - 1) / BN;
  const long rowGroup = get_group_id(0) / (GROUPED_BLOCKS * across),
             inGroup = get_group_id(0) % (GROUPED_BLOCKS * across);
  const long groupedRows = min((long)GROUPED_BLOCKS, down - rowGroup * GROUPED_BLOCKS);
  const long row0 = (rowGroup * GROUPED_BLOCKS + inGroup % groupedRows) * BM, column0 = inGroup / groupedRows * BN;
  left += p.left.offset;
  right += p.right.offset;

  float cells[ROW_BLOCKS][WARP_COLUMNS / 8][4];
  UNROLL
  for (int m = 0; m < ROW_BLOCKS; m++) {
    UNROLL
    for (int n = 0; n < WARP_COLUMNS / 8; n++) {
      UNROLL
      for (int e = 0; e < 4; e++) {
        cells[m][n][e] = 0;
      }
    }
  }
  UNROLL
  for (int s = 0; s < STAGES - 1; s++) {
    if (s * DEPTH < p.depth) {
      copy_slice(&p, w, base + s * STAGE_BYTES, left, right, row0, column0, s * DEPTH);
    }
    commit_copies();
  }
  int stage = 0, later = STAGES - 1;
  for (long k0 = 0; k0 < p.depth; k0 += DEPTH) {
    w = warp_of(staged, exchange, opaque(w.item));
    AWAIT_ALL_BUT(PENDING_GROUPS);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (k0 + (STAGES - 1) * DEPTH < p.depth) {
      copy_slice(&p, w, base + later * STAGE_BYTES, left, right, row0, column0, k0 + (STAGES - 1) * DEPTH);
    }
    commit_copies();
    const uint leftTile = base + stage * STAGE_BYTES, rightTile = leftTile + LEFT_BYTES;
    const int firstRow = w.warp / WARPS_ACROSS * ROW_BLOCKS * 16, firstColumn = w.warp % WARPS_ACROSS * WARP_COLUMNS;
    UNROLL
    for (int k = 0; k < DEPTH / 16; k++) {
      uint x[ROW_BLOCKS][4];
      UNROLL
      for (int m = 0; m < ROW_BLOCKS; m++) {
#if LEFT_TRANSPOSED
        const uint line = k * 16 + w.lane % 8 + w.lane / 16 * 8,
                   chunk = (firstRow + m * 16) / PER_CHUNK_16 + w.lane / 8 % 2;
        load_transposed(w, leftTile + chunk_offset(line, chunk, BM / PER_CHUNK_16), x[m]);
#else
        load_matrices(
            w, leftTile + chunk_offset(firstRow + m * 16 + w.lane % 16, 2 * k + w.lane / 16, DEPTH / PER_CHUNK_16),
            x[m]);
#endif
      }
      UNROLL
      for (int n = 0; n < WARP_COLUMNS / 16; n++) {
        uint pair[4];
#if RIGHT_TRANSPOSED
        const uint line = firstColumn + n * 16 + w.lane % 8 + w.lane / 16 * 8;
        load_matrices(w, rightTile + chunk_offset(line, 2 * k + w.lane / 8 % 2, DEPTH / PER_CHUNK_16), pair);
#else
        const uint chunk = firstColumn / PER_CHUNK_16 + 2 * n + w.lane / 16;
        load_transposed(w, rightTile + chunk_offset(k * 16 + w.lane % 16, chunk, BN / PER_CHUNK_16), pair);
#endif
        UNROLL
        for (int m = 0; m < ROW_BLOCKS; m++) {
          UNROLL
          for (int side = 0; side < 2; side++) {
            mma(w, x[m], pair[2 * side], pair[2 * side + 1], cells[m][2 * n + side]);
          }
        }
      }
    }
    stage = stage + 1 == STAGES ? 0 : stage + 1;
    later = later + 1 == STAGES ? 0 : later + 1;
  }

  const bool pairs = p.to.columnStride == 1 && ((p.to.offset | p.to.rowStride | p.columns) & 1) == 0;
  UNROLL
  for (int m = 0; m < ROW_BLOCKS; m++) {
    UNROLL
    for (int r = 0; r < 2; r++) {
      const long row = row0 + w.warp / WARPS_ACROSS * ROW_BLOCKS * 16 + m * 16 + w.lane / 4 + r * 8;
      UNROLL
      for (int n = 0; n < WARP_COLUMNS / 8; n++) {
        const long column = column0 + w.warp % WARPS_ACROSS * WARP_COLUMNS + n * 8 + w.lane % 4 * 2;
        if (row < p.rows && column < p.columns) {
          const bool second = column + 1 < p.columns;
          const long offset = p.to.offset + row * p.to.rowStride + column * p.to.columnStride,
                     next = offset + p.to.columnStride;
          float x = cells[m][n][2 * r], y = cells[m][n][2 * r + 1];
          if (p.continues) {
            x += LOAD(TO, to, offset);
            y += second ? LOAD(TO, to, next) : 0;
          }
          if (p.hasBias) {
            x += bias[column];
            y += second ? bias[column + 1] : 0;
          }
          if (pairs) {
#if TO == 32
            vstore2((float2)(x, y), 0, (global float*)to + offset);
#else
            ((global uint*)to)[offset / 2] = pack(x, y);
#endif
          } else {
            STORE(TO, x, to, offset);
            if (second) {
              STORE(TO, y, to, next);
            }
          }
        }
      }
    }
  }
}
