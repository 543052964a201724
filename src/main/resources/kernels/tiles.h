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
#define SLICES (DEPTH * (BMP + BNP))
#if MEETING != DOT && DEPTH % RUN != 0
#error "slices are whole runs"
#endif
#define MET (SLICES + PER_NUMBER * DEPTH) // a slice of `meeting` lies behind those of the operands
#define STAGE (MET > DEPTH * COLUMNS ? MET : DEPTH * COLUMNS)

typedef STORED(STORAGE) element;

// Rows [0, count) of a matrix whose row m begins at `at + m * row`; with `chosen`, row chosen[m].
typedef struct {
  long at, row;
  int count;
  global const int* chosen;
} Rows;

inline Rows rows_of(long at, long row, long count) {
  Rows r = {at, row, (int)count, 0};
  return r;
}

inline void load_slice(global const element* from, Rows rows, int wide, int padded, int d0, int depth,
                       local real* to, int item) {
  for (int x = item; x < wide * DEPTH; x += ITEMS) {
    const int m = x / DEPTH, d = x % DEPTH;
    real value = 0;
    if (m < rows.count && d0 + d < depth) {
      value = LOAD(STORAGE, from, rows.at + (rows.chosen ? rows.chosen[m] : m) * rows.row + d0 + d);
    }
    to[d * padded + m] = value;
  }
}

// cells[m][n] = sum over d of a[m][d] b[n][d], in the order of d whatever the tile: equal bits in every kernel.
inline void product(global const element* a, Rows aRows, global const element* b, Rows bRows, int depth,
                    local real* stage, int item, real cells[RM][RN]) {
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
    load_slice(a, aRows, BM, BMP, d0, depth, stage, item);
    load_slice(b, bRows, BN, BNP, d0, depth, stage + DEPTH * BMP, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int d = 0; d < DEPTH; d++) {
      real x[RM], y[RN];
      UNROLL
      for (int m = 0; m < RM; m++) {
        x[m] = stage[d * BMP + ty * RM + m];
      }
      UNROLL
      for (int n = 0; n < RN; n++) {
        y[n] = stage[DEPTH * BMP + d * BNP + tx * RN + n];
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
#if MEETING == DOT
inline void meet(global const element* a, Rows aRows, global const element* b, Rows bRows, int depth,
                 global const real* meeting, local real* stage, int item, real cells[RM][RN]) {
  product(a, aRows, b, bRows, depth, stage, item, cells);
}
#else
inline void meet(global const element* a, Rows aRows, global const element* b, Rows bRows, int depth,
                 global const real* meeting, local real* stage, int item, real cells[RM][RN]) {
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
    load_slice(a, aRows, BM, BMP, d0, depth, stage, item);
    load_slice(b, bRows, BN, BNP, d0, depth, stage + DEPTH * BMP, item);
    for (int d = item; PER_NUMBER && d < DEPTH; d += ITEMS) {
      stage[SLICES + d] = d0 + d < depth ? meeting[d0 + d] : 0;
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
        const real v = PER_NUMBER ? stage[SLICES + d] : 0;
        CELLS
        for (int m = 0; m < RM; m++) {
          const real x = stage[d * BMP + ty * RM + m];
          CELLS
          for (int n = 0; n < RN; n++) {
            run[m][n] = MEET(run[m][n], x, stage[DEPTH * BMP + d * BNP + tx * RN + n], v);
          }
        }
      }
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int n = 0; n < RN; n++) {
          cells[m][n] += run[m][n];
        }
      }
    }
  }
  const real factor = met_factor(meeting);
  UNROLL
  for (int m = 0; m < RM; m++) {
    UNROLL
    for (int n = 0; n < RN; n++) {
      cells[m][n] *= factor;
    }
  }
}
#endif

// Columns [columnFrom, columnFrom + COLUMNS) of rows [k0, k0 + DEPTH).
inline void load_columns(global const element* b, Rows bRows, int width, int columnFrom, int k0, local real* stage,
                         int item) {
  for (int x = item; x < DEPTH * COLUMNS; x += ITEMS) {
    const int k = k0 + x / COLUMNS, column = columnFrom + x % COLUMNS;
    stage[x] = k < bRows.count && column < width ? LOAD(STORAGE, b, bRows.at + k * bRows.row + column) : 0;
  }
}

// sums[m][o] += sum over k of weights[k][m] b[k][column]; where `guarded`, a row of weight 0 is not read, as it may be
// hidden and NaN. The weights lie in local memory, BMP apart.
inline void pool(local const real* weights, global const element* b, Rows bRows, int width, int columnFrom, bool guarded,
                 local real* stage, int item, real sums[RM][CO]) {
  const int tx = item % TX, ty = item / TX;
  for (int k0 = 0; k0 < BN; k0 += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_columns(b, bRows, width, columnFrom, k0, stage, item);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < DEPTH; k++) {
      real p[RM], v[CO];
      UNROLL
      for (int m = 0; m < RM; m++) {
        p[m] = weights[(k0 + k) * BMP + ty * RM + m];
      }
      UNROLL
      for (int o = 0; o < CO; o++) {
        v[o] = stage[k * COLUMNS + tx + TX * o];
      }
      UNROLL
      for (int m = 0; m < RM; m++) {
        UNROLL
        for (int o = 0; o < CO; o++) {
          sums[m][o] = guarded && p[m] == 0 ? sums[m][o] : fma(p[m], v[o], sums[m][o]);
        }
      }
    }
  }
}

// The larger of each row's maximum so far and its cells: over the item's own cells, then over the items of the row.
// A NaN is passed over; it spoils its own sum.
inline void raise(real cells[RM][RN], local real* seen, int item, real most[RM]) {
  const int tx = item % TX, ty = item / TX;
  UNROLL
  for (int m = 0; m < RM; m++) {
    real larger = -INFINITY;
    UNROLL
    for (int n = 0; n < RN; n++) {
      larger = cells[m][n] > larger ? cells[m][n] : larger;
    }
    seen[tx * BM + ty * RM + m] = larger;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int m = 0; m < RM; m++) {
    for (int t = 0; t < TX; t++) {
      const real other = seen[t * BM + ty * RM + m];
      most[m] = other > most[m] ? other : most[m];
    }
  }
}

// The sum of each row over the items that share it, in their order.
inline void total(real part[RM], local real* seen, int item, real sum[RM]) {
  const int tx = item % TX, ty = item / TX;
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int m = 0; m < RM; m++) {
    seen[tx * BM + ty * RM + m] = part[m];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  UNROLL
  for (int m = 0; m < RM; m++) {
    sum[m] = 0;
    for (int t = 0; t < TX; t++) {
      sum[m] += seen[t * BM + ty * RM + m];
    }
  }
}

// Turns the products of queries from `i` on with keys from `j` on into modified scores, minus infinity where hidden.
inline void modify(const Call* c, Band band, global const uchar* dense, global const real* bias, real slope, long b,
                   long h, int i, int queries, int j, int keys, int covered, int item, real cells[RM][RN]) {
  const int tx = item % TX, ty = item / TX;
  CELLS
  for (int m = 0; m < RM; m++) {
    CELLS
    for (int n = 0; n < RN; n++) {
      const int row = ty * RM + m, column = tx * RN + n;
      if (row < queries && column < keys) {
        cells[m][n] = modified(c, cells[m][n], bias, slope, b, h, i + row, j + column);
        if (covered == 1 && !takes_part(c, band, dense, b, h, i + row, j + column)) {
          cells[m][n] = -INFINITY;
        }
      } else {
        cells[m][n] = -INFINITY;
      }
    }
  }
}

#endif
