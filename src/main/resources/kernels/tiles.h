// Matrix products of tiles for GPU kernels, and the softmax steps on a tile. A work-group of TX x TY work-items computes
// a tile of BM x BN cells, RM x RN per work-item, in registers. Both operands are copied through local memory in slices of
// DEPTH, so that a tile reads each element from global memory once.
//
// Rows and columns outside the matrices are loaded as zeros, so all work-items can reach all barriers.
//
// -D options: TX, TY, RM, RN, DEPTH, CO, and the options of score.h. `item` is the local id, tx = item % TX, ty = item / TX.
#ifndef HEED_TILES
#define HEED_TILES
#include "score.h"

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
#ifndef DEPTH // elements of a row in a slice; divides BN
#define DEPTH 16
#endif
#ifndef CO // columns that a work-item computes of the second product (values, gradients); they are TX apart
#define CO 4
#endif
#define ITEMS (TX * TY) // work-items of a group
#define BM (TY * RM)    // rows of a tile
#define BN (TX * RN)    // columns of a tile
#define BMP (BM + 4)    // leading dimension of a slice of the rows, padded against bank conflicts
#define BNP (BN + 4)    // leading dimension of a slice of the columns
#define COLUMNS (TX * CO)                    // columns that a group computes of the second product
#define SLICE_ELEMENTS (DEPTH * (BMP + BNP)) // a slice of both operands
#if SCORE_OP != DOT && DEPTH % RUN != 0
#error "DEPTH must be a multiple of RUN"
#endif
// The slices that a score needs: the slices of both operands, then a slice of scoreParams.
#define SCORE_SLICE_ELEMENTS (SLICE_ELEMENTS + PER_ELEMENT * DEPTH)
// Elements of `staged`, the local memory of a product: slices of a score, or DEPTH rows of the second product's operand.
#define STAGED_ELEMENTS (SCORE_SLICE_ELEMENTS > DEPTH * COLUMNS ? SCORE_SLICE_ELEMENTS : DEPTH * COLUMNS)

typedef STORED(STORAGE) element;

// Rows [0, count) of a tile's operand. Row m begins at element offset + m * rowStride, or with `chosen` at
// offset + chosen[m] * rowStride.
typedef struct {
  long offset, rowStride;
  int count;
  global const int* chosen;
} TileRows;

inline TileRows tile_rows(long offset, long rowStride, long count) {
  TileRows r = {offset, rowStride, (int)count, 0};
  return r;
}

// Copies elements [d0, d0 + DEPTH) of `sliceRows` rows to local memory, transposed: to[d * paddedRows + row]. Elements from
// `depth` on, and rows from rows.count on, are zeros.
inline void load_slice(global const element* from, TileRows rows, int sliceRows, int paddedRows, int d0, int depth,
                       local real* to, int item) {
  for (int x = item; x < sliceRows * DEPTH; x += ITEMS) {
    const int m = x / DEPTH, d = x % DEPTH;
    real value = 0;
    if (m < rows.count && d0 + d < depth) {
      value = LOAD(STORAGE, from, rows.offset + (rows.chosen ? rows.chosen[m] : m) * rows.rowStride + d0 + d);
    }
    to[d * paddedRows + m] = value;
  }
}

// cells[m][n] = sum over d of a[m][d] b[n][d], in the order of d for every tile size, so all callers compute the same bits.
inline void product(global const element* a, TileRows aRows, global const element* b, TileRows bRows, int depth,
                    local real* staged, int item, real cells[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      cells[m][n] = 0;
    }
  }
  for (int d0 = 0; d0 < depth; d0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_slice(a, aRows, BM, BMP, d0, depth, staged, item);
    load_slice(b, bRows, BN, BNP, d0, depth, staged + DEPTH * BMP, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int d = 0; d < DEPTH; d++) {
      real x[RM], y[RN];
      UNROLL
      for (int m = 0; m < RM; m++) {
        x[m] = staged[d * BMP + ty * RM + m];
      }
      UNROLL
      for (int n = 0; n < RN; n++) {
        y[n] = staged[DEPTH * BMP + d * BNP + tx * RN + n];
      }
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          cells[m][n] = fma(x[m], y[n], cells[m][n]);
        }
      }
    }
  }
}

// Computes scores before the scale. The rows of the tile are queries and its columns are keys, or vice versa. scoreParams:
// the parameters of the head. If the score is not a product, terms are summed in runs of RUN: one long sum of terms of the
// same sign or size would lose accuracy.
#if SCORE_OP == DOT
inline void pair_scores(global const element* a, TileRows aRows, global const element* b, TileRows bRows, int depth,
                        global const real* scoreParams, local real* staged, int item, real scores[RM][RN]) {
  product(a, aRows, b, bRows, depth, staged, item, scores);
}
#else
inline void pair_scores(global const element* a, TileRows aRows, global const element* b, TileRows bRows, int depth,
                        global const real* scoreParams, local real* staged, int item, real scores[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      scores[m][n] = 0;
    }
  }
  for (int d0 = 0; d0 < depth; d0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_slice(a, aRows, BM, BMP, d0, depth, staged, item);
    load_slice(b, bRows, BN, BNP, d0, depth, staged + DEPTH * BMP, item);
    for (int d = item; PER_ELEMENT && d < DEPTH; d += ITEMS) {
      staged[SLICE_ELEMENTS + d] = d0 + d < depth ? scoreParams[d0 + d] : 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = 0; r < DEPTH; r += RUN) {
      real run[RM][RN];
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          run[m][n] = 0;
        }
      }
      for (int d = r; d < r + RUN; d++) {
        const real v = PER_ELEMENT ? staged[SLICE_ELEMENTS + d] : 0;
        UNROLL_ON_GPU
        for (int m = 0; m < RM; m++) {
          const real x = staged[d * BMP + ty * RM + m];
          UNROLL_ON_GPU
          for (int n = 0; n < RN; n++) {
            run[m][n] = ADD_TERM(run[m][n], x, staged[DEPTH * BMP + d * BNP + tx * RN + n], v);
          }
        }
      }
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          scores[m][n] += run[m][n];
        }
      }
    }
  }
  const real factor = score_factor(scoreParams);
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      scores[m][n] *= factor;
    }
  }
}
#endif

// Copies columns [columnFrom, columnFrom + COLUMNS) of rows [k0, k0 + DEPTH) to local memory. Columns from `width` on, and
// rows from bRows.count on, are zeros.
inline void load_columns(global const element* b, TileRows bRows, int width, int columnFrom, int k0, local real* staged,
                         int item) {
  for (int x = item; x < DEPTH * COLUMNS; x += ITEMS) {
    const int k = k0 + x / COLUMNS, column = columnFrom + x % COLUMNS;
    staged[x] = k < bRows.count && column < width ? LOAD(STORAGE, b, bRows.offset + k * bRows.rowStride + column) : 0;
  }
}

// sums[m][o] += sum over k < BN of weights[k][m] b[k][column], with column = columnFrom + tx + TX * o. `weights` is in local
// memory with leading dimension BMP. If skipZeros, a weight of 0 adds nothing: row k of b may be masked and NaN.
inline void pool(local const real* weights, global const element* b, TileRows bRows, int width, int columnFrom,
                 bool skipZeros, local real* staged, int item, real sums[RM][CO]) {
  const int tx = item % TX, ty = item / TX;
  for (int k0 = 0; k0 < BN; k0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_columns(b, bRows, width, columnFrom, k0, staged, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < DEPTH; k++) {
      real p[RM], v[CO];
      UNROLL
      for (int m = 0; m < RM; m++) {
        p[m] = weights[(k0 + k) * BMP + ty * RM + m];
      }
      UNROLL
      for (int o = 0; o < CO; o++) {
        v[o] = staged[k * COLUMNS + tx + TX * o];
      }
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int o = 0; o < CO; o++) {
          sums[m][o] = skipZeros && p[m] == 0 ? sums[m][o] : fma(p[m], v[o], sums[m][o]);
        }
      }
    }
  }
}

// rowMax = max(rowMax, scores of the row): over the cells of a work-item, then over the work-items of the row. `scratch` has
// TX * BM elements of local memory. A NaN is ignored here; it makes its own row sum NaN.
inline void update_row_max(real scores[RM][RN], local real* scratch, int item, real rowMax[RM]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL
  for (int m = 0; m < RM; m++) {
    real itemMax = -INFINITY;
    UNROLL
    for (int n = 0; n < RN; n++) {
      itemMax = scores[m][n] > itemMax ? scores[m][n] : itemMax;
    }
    scratch[tx * BM + ty * RM + m] = itemMax;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int m = 0; m < RM; m++) {
    for (int t = 0; t < TX; t++) {
      const real other = scratch[t * BM + ty * RM + m];
      rowMax[m] = other > rowMax[m] ? other : rowMax[m];
    }
  }
}

// rowSum: the sum of itemSum over the TX work-items of a row, in their order.
inline void sum_rows(real itemSum[RM], local real* scratch, int item, real rowSum[RM]) {
  const int tx = item % TX, ty = item / TX;
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int m = 0; m < RM; m++) {
    scratch[tx * BM + ty * RM + m] = itemSum[m];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int m = 0; m < RM; m++) {
    rowSum[m] = 0;
    for (int t = 0; t < TX; t++) {
      rowSum[m] += scratch[t * BM + ty * RM + m];
    }
  }
}

// Modifies the scores of queries from `i` on and keys from `j` on; masked scores become minus infinity. `covered`: the
// result of cover() for the tile.
inline void modify_and_mask(const Call* c, Band band, global const uchar* mask, global const real* bias, real slope,
                            long b, long h, int i, int queries, int j, int keys, int covered, int item,
                            real scores[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL_ON_GPU
  for (int m = 0; m < RM; m++) {
    UNROLL_ON_GPU
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      if (row < queries && column < keys) {
        scores[m][n] = modified(c, scores[m][n], bias, slope, b, h, i + row, j + column);
        if (covered == 1 && !is_attended(c, band, mask, b, h, i + row, j + column)) {
          scores[m][n] = -INFINITY;
        }
      } else {
        scores[m][n] = -INFINITY;
      }
    }
  }
}

#endif
