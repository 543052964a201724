// Transforms of the rows of queries and keys before they are scored, the gradients of these transforms, and sums for the
// gradients of parameters.
//
//   normalise       strength x / |x| for every row x (cosine scores)
//   normalise_back  the gradients of x and of the strength
//   keep_reached    copies rows whose output gradient is not zero; the others become zeros
//   product_parts   x' y of each block of rows
//   sum_axes        sums a tensor over some of its axes
//
// -D options: FROM, GRADIENT, REAL_F64. The first three kernels have one work-item per row, the last two one per element of
// the result.
#include "element.h"

#ifndef FROM // storage type of the rows
#define FROM 32
#endif
#ifndef GRADIENT // storage type of the output gradient
#define GRADIENT 32
#endif

// `count` rows [batch][head][row] of `width` elements. The operand `from` has an offset and strides; all other tensors are
// contiguous. There are `heads` heads; `shared` consecutive heads read one head of the operand. Strengths are
// [batch][head][row] with stride 0 for a broadcast axis; if hasStrengths is 0, every row has `strength`.
typedef struct {
  long offset, batchStride, headStride, rowStride;
  long heads, rows, width, count, shared;
  long strengthBatchStride, strengthHeadStride, strengthRowStride, hasStrengths;
  real strength, epsilon;
} RowLayout;

// The offset of row n of the operand.
inline long row_offset(const RowLayout* c, long n) {
  const long bh = n / c->rows;
  return c->offset + bh / c->heads * c->batchStride + bh % c->heads / c->shared * c->headStride
         + n % c->rows * c->rowStride;
}

inline real strength_of(const RowLayout* c, global const real* strengths, long n) {
  const long bh = n / c->rows;
  return c->hasStrengths ? strengths[bh / c->heads * c->strengthBatchStride + bh % c->heads * c->strengthHeadStride
                                     + n % c->rows * c->strengthRowStride]
                         : c->strength;
}

// Rows whose sum of squares is larger than LARGE are multiplied by a power of two, so that no square overflows.
#define LARGE ((real)0x1p80f)
#define SMALLER ((real)0x1p-80f)

// A row as unit x, where unit is 1 or SMALLER; `length` is the length of unit x, with epsilon: sqrt(sum of squares
// + epsilon).
typedef struct {
  real unit, length;
} RowLength;

inline RowLength length_of(const RowLayout* c, global const STORED(FROM) * from, long offset) {
  RowLength row;
  real sum = 0;
  for (long d = 0; d < c->width; d++) {
    const real x = LOAD(FROM, from, offset + d);
    sum = fma(x, x, sum);
  }
  row.unit = sum > LARGE ? SMALLER : 1;
  if (row.unit != 1) { // epsilon is less than an ulp of such a sum
    sum = 0;
    for (long d = 0; d < c->width; d++) {
      const real x = LOAD(FROM, from, offset + d) * row.unit;
      sum = fma(x, x, sum);
    }
  }
  row.length = sqrt(row.unit == 1 ? sum + c->epsilon : sum);
  return row;
}

// Whether any element of row n of the output gradient is not zero.
inline bool reached(global const STORED(GRADIENT) * dOut, long n, long width) {
  for (long d = 0; d < width; d++) {
    if (LOAD(GRADIENT, dOut, n * width + d) != 0) {
      return true;
    }
  }
  return false;
}

kernel void normalise(const RowLayout c, global const STORED(FROM) * from, global const real* strengths,
                      global real* to) {
  const long n = get_global_id(0);
  if (n >= c.count) {
    return;
  }
  const long offset = row_offset(&c, n);
  const RowLength row = length_of(&c, from, offset);
  const real factor = strength_of(&c, strengths, n) / row.length;
  for (long d = 0; d < c.width; d++) {
    to[n * c.width + d] = LOAD(FROM, from, offset + d) * row.unit * factor;
  }
}

// `dOut` is the gradient of strength x / |x|. A row whose output gradient is zero is not read: its gradients are zeros.
kernel void normalise_back(const RowLayout c, global const STORED(FROM) * from, global const real* strengths,
                           global const STORED(GRADIENT) * dOut, global real* to, global real* strengthTo) {
  const long n = get_global_id(0);
  if (n >= c.count) {
    return;
  }
  if (!reached(dOut, n, c.width)) {
    for (long d = 0; d < c.width; d++) {
      to[n * c.width + d] = 0;
    }
    strengthTo[n] = 0;
    return;
  }
  const long offset = row_offset(&c, n);
  const RowLength row = length_of(&c, from, offset);
  const real strength = strength_of(&c, strengths, n);
  real dStrength = 0;
  for (long d = 0; d < c.width; d++) {
    dStrength = fma(LOAD(FROM, from, offset + d) * row.unit / row.length, LOAD(GRADIENT, dOut, n * c.width + d), dStrength);
  }
  strengthTo[n] = dStrength;
  for (long d = 0; d < c.width; d++) {
    const real x = LOAD(FROM, from, offset + d) * row.unit / row.length;
    to[n * c.width + d] =
        strength * (LOAD(GRADIENT, dOut, n * c.width + d) - dStrength * x) / row.length * row.unit;
  }
}

// `dOut` has gradientWidth elements per row. A row whose output gradient is zero becomes zeros, because it may contain NaN.
kernel void keep_reached(const RowLayout c, global const STORED(FROM) * from, global const STORED(GRADIENT) * dOut,
                         global real* to, const long gradientWidth) {
  const long n = get_global_id(0);
  if (n >= c.count) {
    return;
  }
  const bool isReached = reached(dOut, n, gradientWidth);
  const long offset = row_offset(&c, n);
  for (long d = 0; d < c.width; d++) {
    to[n * c.width + d] = isReached ? LOAD(FROM, from, offset + d) : 0;
  }
}

// to[matrix][block][in][out] = x' y over blocks of `length` rows, for matrices x [matrix][rows][in] and y
// [matrix][rows][out]. All are contiguous.
kernel void product_parts(global const real* x, global const real* y, global real* to, const long matrices,
                          const long rows, const long in, const long out, const long length) {
  const long n = get_global_id(0), blocks = (rows + length - 1) / length;
  const long j = n % out, i = n / out % in, block = n / out / in % blocks, matrix = n / out / in / blocks;
  if (matrix >= matrices) {
    return;
  }
  real sum = 0;
  for (long r = matrix * rows + block * length; r < matrix * rows + min(rows, (block + 1) * length); r++) {
    sum = fma(x[r * in + i], y[r * out + j], sum);
  }
  to[n] = sum;
}

// Sums a tensor [n0][n1][n2][n3] over the axes where the result [s0][s1][s2][s3] has size 1, in order, with compensated
// summation (Kahan).
kernel void sum_axes(global const real* from, global real* to, const long n0, const long n1, const long n2, const long n3,
                     const long s0, const long s1, const long s2, const long s3) {
  const long n = get_global_id(0);
  if (n >= s0 * s1 * s2 * s3) {
    return;
  }
  const long a3 = n % s3, a2 = n / s3 % s2, a1 = n / s3 / s2 % s1, a0 = n / s3 / s2 / s1;
  real sum = 0, compensation = 0;
  for (long i0 = s0 > 1 ? a0 : 0; i0 < (s0 > 1 ? a0 + 1 : n0); i0++) {
    for (long i1 = s1 > 1 ? a1 : 0; i1 < (s1 > 1 ? a1 + 1 : n1); i1++) {
      for (long i2 = s2 > 1 ? a2 : 0; i2 < (s2 > 1 ? a2 + 1 : n2); i2++) {
        for (long i3 = s3 > 1 ? a3 : 0; i3 < (s3 > 1 ? a3 + 1 : n3); i3++) {
          const real x = from[((i0 * n1 + i1) * n2 + i2) * n3 + i3] - compensation;
          const real next = sum + x;
          compensation = (next - sum) - x;
          sum = next;
        }
      }
    }
  }
  to[n] = sum;
}
