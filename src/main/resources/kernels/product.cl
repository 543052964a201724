// Matrix product to = left right + bias: the projections of multi-head attention, linear layers, and their gradients.
//
//   product_tiles  on a GPU: a group of TX x TY work-items computes BM x BN cells
//   product_lanes  on a CPU device: a work-item computes ITEM_ROWS x ITEM_COLUMNS cells
//   column_sums    the sum of each column of `left`; one work-item per column
//
// Groups, or work-items of product_lanes: blocks of rows, then blocks of columns (innermost).
//
// Every operand has its own storage type, offset and strides; for a transposed operand the strides are exchanged. The bias
// is added last: if a sum began with a large bias, every term would be rounded to its precision. If `continues`, the product
// is added to `to`, because the depth is computed in chunks, in order.
//
// -D options: LEFT, RIGHT, TO, REAL_F64; TX, TY, RM, RN, DEPTH as in tiles.h, or LANES.
#include "element.h"

#ifndef LEFT // storage type of `left`
#define LEFT 32
#endif
#ifndef RIGHT // storage type of `right`
#define RIGHT 32
#endif
#ifndef TO // storage type of the result
#define TO 32
#endif
#ifndef TX // work-items of a group across the columns
#define TX 16
#endif
#ifndef TY // work-items of a group down the rows
#define TY 16
#endif
#ifndef RM // rows of a work-item, consecutive
#define RM 4
#endif
#ifndef RN // columns of a work-item, consecutive
#define RN 4
#endif
#ifndef DEPTH // depth of a slice
#define DEPTH 16
#endif
#define ITEMS (TX * TY) // work-items of a group
#define BM (TY * RM)    // rows of a tile
#define BN (TX * RN)    // columns of a tile
#define BMP (BM + 4)    // leading dimension of a slice of `left`, padded against bank conflicts
#define BNP (BN + 4)    // leading dimension of a slice of `right`

// Offset and strides of a matrix, in elements.
typedef struct {
  long offset, rowStride, columnStride;
} MatrixLayout;

// The arguments of a product: `to` is [rows][columns]. The host writes the fields in this order.
typedef struct {
  MatrixLayout left, right, to;
  long rows, columns, depth, hasBias, continues;
} Product;

// Both operands are copied through local memory in slices of DEPTH. The loads are coalesced, whether rows or columns are
// contiguous.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void product_tiles(
    const Product p, global const STORED(LEFT)* left, global const STORED(RIGHT)* right, global STORED(TO)* to,
    global const real* bias) {
  local real slices[DEPTH * (BMP + BNP)];
  const int item = (int)get_local_id(0), tx = item % TX, ty = item / TX;
  const long across = (p.columns + BN - 1) / BN;
  const long row0 = get_group_id(0) / across * BM, column0 = get_group_id(0) % across * BN;
  real cells[RM][RN], slice[RM][RN]; // each slice is summed separately: shorter sums have smaller errors
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      cells[m][n] = slice[m][n] = 0;
    }
  }
  for (long k0 = 0; k0 < p.depth; k0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int x = item; x < BM * DEPTH; x += ITEMS) {
      const int m = p.left.columnStride == 1 ? x / DEPTH : x % BM, k = p.left.columnStride == 1 ? x % DEPTH : x / BM;
      const bool there = row0 + m < p.rows && k0 + k < p.depth;
      slices[k * BMP + m] =
          there ? LOAD(LEFT, left, p.left.offset + (row0 + m) * p.left.rowStride + (k0 + k) * p.left.columnStride) : 0;
    }
    for (int x = item; x < BN * DEPTH; x += ITEMS) {
      const int n = p.right.columnStride == 1 ? x % BN : x / DEPTH, k = p.right.columnStride == 1 ? x / BN : x % DEPTH;
      const bool there = column0 + n < p.columns && k0 + k < p.depth;
      slices[DEPTH * BMP + k * BNP + n] =
          there
              ? LOAD(RIGHT, right, p.right.offset + (k0 + k) * p.right.rowStride + (column0 + n) * p.right.columnStride)
              : 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < DEPTH; k++) {
      real x[RM], y[RN];
      UNROLL
      for (int m = 0; m < RM; m++) {
        x[m] = slices[k * BMP + ty * RM + m];
      }
      UNROLL
      for (int n = 0; n < RN; n++) {
        y[n] = slices[DEPTH * BMP + k * BNP + tx * RN + n];
      }
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          slice[m][n] = fma(x[m], y[n], slice[m][n]);
        }
      }
    }
    UNROLL
    for (int m = 0; m < RM; m++) {
      UNROLL
      for (int n = 0; n < RN; n++) {
        cells[m][n] += slice[m][n];
        slice[m][n] = 0;
      }
    }
  }
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      const long row = row0 + ty * RM + m, column = column0 + tx * RN + n;
      if (row < p.rows && column < p.columns) {
        const long offset = p.to.offset + row * p.to.rowStride + column * p.to.columnStride;
        const real sum = p.continues ? LOAD(TO, to, offset) + cells[m][n] : cells[m][n];
        STORE(TO, p.hasBias ? sum + bias[column] : sum, to, offset);
      }
    }
  }
}

#define ITEM_COLUMNS (4 * LANES) // columns of a work-item
#define ITEM_ROWS 48             // rows of a work-item

// A work-item first copies its columns of `right` to `packed` [work-item][depth][ITEM_COLUMNS], then computes four rows at a
// time in registers.
kernel void product_lanes(const Product p, global const STORED(LEFT)* left, global const STORED(RIGHT)* right,
                          global STORED(TO)* to, global const real* bias, global vec* packed) {
  const long across = (p.columns + ITEM_COLUMNS - 1) / ITEM_COLUMNS;
  const long row0 = get_global_id(0) / across * ITEM_ROWS, column0 = get_global_id(0) % across * ITEM_COLUMNS;
  const int columns = (int)min((long)ITEM_COLUMNS, p.columns - column0);
  const int rows = (int)min((long)ITEM_ROWS, p.rows - row0);
  global vec* ownColumns = packed + get_global_id(0) * p.depth * 4;
  for (long k = 0; k < p.depth; k++) {
    global real* line = (global real*)(ownColumns + k * 4);
    for (int n = 0; n < ITEM_COLUMNS; n++) {
      line[n] = n < columns
                    ? LOAD(RIGHT, right, p.right.offset + k * p.right.rowStride + (column0 + n) * p.right.columnStride)
                    : 0;
    }
  }
  for (int m = 0; m < rows; m += 4) {
    const long a0 = p.left.offset + (row0 + m) * p.left.rowStride,
               a1 = p.left.offset + (row0 + min(m + 1, rows - 1)) * p.left.rowStride;
    const long a2 = p.left.offset + (row0 + min(m + 2, rows - 1)) * p.left.rowStride;
    const long a3 = p.left.offset + (row0 + min(m + 3, rows - 1)) * p.left.rowStride;
    vec c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0;
    vec c20 = 0, c21 = 0, c22 = 0, c23 = 0, c30 = 0, c31 = 0, c32 = 0, c33 = 0;
    for (long k = 0; k < p.depth; k++) {
      const vec b0 = ownColumns[k * 4], b1 = ownColumns[k * 4 + 1], b2 = ownColumns[k * 4 + 2],
                b3 = ownColumns[k * 4 + 3];
      const vec x0 = LOAD(LEFT, left, a0 + k * p.left.columnStride),
                x1 = LOAD(LEFT, left, a1 + k * p.left.columnStride);
      const vec x2 = LOAD(LEFT, left, a2 + k * p.left.columnStride),
                x3 = LOAD(LEFT, left, a3 + k * p.left.columnStride);
      c00 = fma(x0, b0, c00); c01 = fma(x0, b1, c01); c02 = fma(x0, b2, c02); c03 = fma(x0, b3, c03);
      c10 = fma(x1, b0, c10); c11 = fma(x1, b1, c11); c12 = fma(x1, b2, c12); c13 = fma(x1, b3, c13);
      c20 = fma(x2, b0, c20); c21 = fma(x2, b1, c21); c22 = fma(x2, b2, c22); c23 = fma(x2, b3, c23);
      c30 = fma(x3, b0, c30); c31 = fma(x3, b1, c31); c32 = fma(x3, b2, c32); c33 = fma(x3, b3, c33);
    }
    const vec cells[16] = {c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33};
    for (int r = 0; r < 4 && m + r < rows; r++) {
      for (int n = 0; n < columns; n++) {
        const long offset = p.to.offset + (row0 + m + r) * p.to.rowStride + (column0 + n) * p.to.columnStride;
        const real cell = ((const real*)&cells[4 * r])[n], sum = p.continues ? LOAD(TO, to, offset) + cell : cell;
        STORE(TO, p.hasBias ? sum + bias[column0 + n] : sum, to, offset);
      }
    }
  }
}

// Adds up the rows in order, with compensated summation (Kahan).
kernel void column_sums(const Product p, global const STORED(LEFT)* left, global STORED(TO)* to) {
  const long column = get_global_id(0);
  if (column >= p.columns) {
    return;
  }
  real sum = 0, compensation = 0;
  for (long row = 0; row < p.rows; row++) {
    const real x =
        LOAD(LEFT, left, p.left.offset + row * p.left.rowStride + column * p.left.columnStride) - compensation;
    const real next = sum + x;
    compensation = (next - sum) - x;
    sum = next;
  }
  STORE(TO, sum, to, p.to.offset + column * p.to.columnStride);
}
