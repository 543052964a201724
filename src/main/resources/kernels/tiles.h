// Tiles of a matrix product on a GPU: a work-group of TX x TY items computes BM x BN cells, RM x RN an item, in registers;
// both operands come through local memory in slices of DEPTH, so that each is read from far away once a tile.
// Rows and columns beyond the matrices are zeros: no item leaves before a barrier.
#ifndef HEED_TILES
#define HEED_TILES
#include "score.h"

#ifndef TX
#define TX 16
#endif
#ifndef TY
#define TY 16
#endif
#ifndef RM
#define RM 4
#endif
#ifndef RN
#define RN 4
#endif
#ifndef DEPTH
#define DEPTH 16
#endif
#ifndef CO // columns of the second product an item owns, TX apart
#define CO 4
#endif
#define ITEMS (TX * TY)
#define BM (TY * RM)
#define BN (TX * RN)
#define BMP (BM + 4) // the rows of a slice, padded against bank conflicts
#define BNP (BN + 4)
#define COLUMNS (TX * CO)
#define SLICE_ELEMENTS (DEPTH * (BMP + BNP))
#if SCORE_OP != DOT && DEPTH % RUN != 0
#error "slices are whole runs"
#endif
#define SCORE_SLICE_ELEMENTS (SLICE_ELEMENTS + PER_ELEMENT * DEPTH) // a slice of `meeting` lies behind those of the operands
#define STAGED_ELEMENTS (SCORE_SLICE_ELEMENTS > DEPTH * COLUMNS ? SCORE_SLICE_ELEMENTS : DEPTH * COLUMNS)

typedef STORED(STORAGE) element;

// Rows [0, count) of a matrix whose row m begins at `at + m * row`; with `chosen`, row chosen[m].
typedef struct {
  long offset, rowStride;
  int count;
  global const int* chosen;
} TileRows;

inline TileRows tile_rows(long offset, long rowStride, long count) {
  TileRows r = {offset, rowStride, (int)count, 0};
  return r;
}

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

// cells[m][n] = sum over d of a[m][d] b[n][d], in the order of d whatever the tile: equal bits in every kernel.
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

// The scores of queries and keys, either of them the rows, before the scale; `meeting` of their head. Terms of one sign or of
// one size make long sums err: they are added in runs, of the same length in every kernel.
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

// Columns [columnFrom, columnFrom + COLUMNS) of rows [k0, k0 + DEPTH).
inline void load_columns(global const element* b, TileRows bRows, int width, int columnFrom, int k0, local real* staged,
                         int item) {
  for (int x = item; x < DEPTH * COLUMNS; x += ITEMS) {
    const int k = k0 + x / COLUMNS, column = columnFrom + x % COLUMNS;
    staged[x] = k < bRows.count && column < width ? LOAD(STORAGE, b, bRows.offset + k * bRows.rowStride + column) : 0;
  }
}

// sums[m][o] += sum over k of weights[k][m] b[k][column]; where `guarded`, a row of weight 0 is not read, as it may be
// hidden and NaN. The weights lie in local memory, BMP apart.
inline void pool(local const real* weights, global const element* b, TileRows bRows, int width, int columnFrom, bool skipZeros,
                 local real* staged, int item, real sums[RM][CO]) {
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

// The larger of each row's maximum so far and its cells: over the item's own cells, then over the items of the row.
// A NaN is passed over; it spoils its own sum.
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

// The sum of each row over the items that share it, in their order.
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

// Turns the products of queries from `i` on with keys from `j` on into modified scores, minus infinity where hidden.
inline void modify_and_mask(const Call* c, Band band, global const uchar* dense, global const real* bias, real slope, long b,
                   long h, int i, int queries, int j, int keys, int covered, int item, real scores[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL_ON_GPU
  for (int m = 0; m < RM; m++) {
    UNROLL_ON_GPU
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      if (row < queries && column < keys) {
        scores[m][n] = modified(c, scores[m][n], bias, slope, b, h, i + row, j + column);
        if (covered == 1 && !is_attended(c, band, dense, b, h, i + row, j + column)) {
          scores[m][n] = -INFINITY;
        }
      } else {
        scores[m][n] = -INFINITY;
      }
    }
  }
}

#endif
