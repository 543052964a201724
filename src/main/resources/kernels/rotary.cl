// Rotary position embedding: pairs of a head turned by the angle of their position; the rest of the head is copied.
#include "element.h"

typedef STORED(STORAGE) element;

// [batch][head][position][width], each tensor with its own steps; tables [row][half] without gaps.
typedef struct {
  long fromAt, fromBatch, fromHead, fromRow, toAt, toBatch, toHead, toRow;
  long batches, heads, positions, width, turned, interleaved, hasPositions, direction;
} Rotary;

// One work-item an element of the input.
kernel void rotary(const Rotary r, global const element* from, global element* to, global const real* cosines,
                   global const real* sines, global const int* positions) {
  const long n = get_global_id(0);
  const long d = n % r.width, s = n / r.width % r.positions, h = n / r.width / r.positions % r.heads,
             b = n / r.width / r.positions / r.heads;
  if (b >= r.batches) {
    return;
  }
  const long at = r.fromAt + b * r.fromBatch + h * r.fromHead + s * r.fromRow;
  real y = LOAD(STORAGE, from, at + d);
  if (d < r.turned) {
    const long pairs = r.turned / 2, pair = r.interleaved ? d / 2 : d % pairs;
    const bool second = r.interleaved ? d % 2 == 1 : d >= pairs;
    const long other = r.interleaved ? d ^ 1 : second ? d - pairs : d + pairs;
    const long row = r.hasPositions ? positions[b * r.positions + s] : b * r.positions + s;
    const real c = cosines[row * pairs + pair], w = sines[row * pairs + pair] * (real)r.direction;
    const real x = LOAD(STORAGE, from, at + other);
    y = second ? x * w + y * c : y * c - x * w;
  }
  STORE(STORAGE, y, to, r.toAt + b * r.toBatch + h * r.toHead + s * r.toRow + d);
}
