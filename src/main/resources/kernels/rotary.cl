// Rotary position embedding: rotates pairs of elements of a row by angles that depend on the position of the row. Only the
// first `rotated` elements of a row are rotated; the others are copied unchanged.
#include "element.h"

typedef STORED(STORAGE) element;

// Tensors are [batch][head][position][headDim] with offsets and strides in elements; direction 1 rotates, -1 rotates back. A
// pair is elements 2n and 2n + 1 if `interleaved`, else n and n + rotated / 2.
typedef struct {
  long fromOffset, fromBatchStride, fromHeadStride, fromRowStride, toOffset, toBatchStride, toHeadStride, toRowStride;
  long batches, heads, positions, headDim, rotated, interleaved, hasPositions, direction;
} Rotary;

// The tables of cosines and sines are contiguous, [table row][rotated / 2]. The table row for index s of the position axis
// and batch entry b is positions[b * r.positions + s] if hasPositions, else b * r.positions + s. One work-item per element.
kernel void rotary(const Rotary r, global const element* from, global element* to, global const real* cosines,
                   global const real* sines, global const int* positions) {
  const long n = get_global_id(0);
  const long d = n % r.headDim, s = n / r.headDim % r.positions, h = n / r.headDim / r.positions % r.heads,
             b = n / r.headDim / r.positions / r.heads;
  if (b >= r.batches) {
    return;
  }
  const long offset = r.fromOffset + b * r.fromBatchStride + h * r.fromHeadStride + s * r.fromRowStride;
  real y = LOAD(STORAGE, from, offset + d);
  if (d < r.rotated) {
    const long pairs = r.rotated / 2, pair = r.interleaved ? d / 2 : d % pairs;
    const bool second = r.interleaved ? d % 2 == 1 : d >= pairs;
    const long other = r.interleaved ? d ^ 1 : second ? d - pairs : d + pairs;
    const long row = r.hasPositions ? positions[b * r.positions + s] : b * r.positions + s;
    const real cosine = cosines[row * pairs + pair], sine = sines[row * pairs + pair] * (real)r.direction;
    const real x = LOAD(STORAGE, from, offset + other);
    y = second ? x * sine + y * cosine : y * cosine - x * sine;
  }
  STORE(STORAGE, y, to, r.toOffset + b * r.toBatchStride + h * r.toHeadStride + s * r.toRowStride + d);
}
