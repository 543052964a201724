// Softmax and log-softmax of contiguous rows, and their gradients, in two launches each. Each work-group reads one chunk of
// a row.
//
//   softmax_states         states[chunk] = maximum of the chunk, sum of its exponentials
//   softmax_write          merges the states of a row in their order and writes the output
//   softmax_gradient_sums  states[chunk] = sum of dy y (log-softmax: of dy), whether any y is not minus infinity
//   softmax_gradient       merges the states of a row and writes the gradient of the input
//
// Rows have `length` elements, and chunks have chunkLength; a short row is one chunk. A row that does not fit the device is
// computed in several launches of whole chunks; `merged` is the number of chunks of the complete row.
//
// -D options: LOGARITHM, STORAGE, REAL_F64, GROUP, LANES. A group has GROUP work-items; in softmax_states, each reads LANES
// elements at a time. On a CPU device, GROUP is 1 and LANES is 2 to 16; on a GPU, GROUP is 64 and LANES is 1.
#include "exponential.h"

#ifndef GROUP // work-items of a group
#define GROUP 1
#endif
#ifndef LOGARITHM // 1 for log-softmax
#define LOGARITHM 0
#endif

typedef STORED(STORAGE) element;

// The sum of `mine` over the work-items of the group; `scratch` has GROUP elements of local memory.
inline real group_sum(real mine, local real* scratch) {
  const int item = (int)get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  scratch[item] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int distance = GROUP / 2; distance > 0; distance /= 2) {
    if (item < distance) {
      scratch[item] += scratch[item + distance];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return scratch[0];
}

// The maximum of `mine` over the work-items of the group.
inline real group_max(real mine, local real* scratch) {
  const int item = (int)get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  scratch[item] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int distance = GROUP / 2; distance > 0; distance /= 2) {
    if (item < distance) {
      scratch[item] = fmax(scratch[item], scratch[item + distance]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return scratch[0];
}

inline real sum_lanes(vec x) {
#if LANES > 1
  const real* lanes = (const real*)&x;
  real sum = lanes[0];
  for (int n = 1; n < LANES; n++) {
    sum += lanes[n];
  }
  return sum;
#else
  return x;
#endif
}

// LANES elements of the input from x on.
#if LANES > 1
#define LOAD_INPUT(x) LOADV(STORAGE, input, x)
#else
#define LOAD_INPUT(x) LOAD(STORAGE, input, x)
#endif

kernel
__attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_states(global const element* input, global real* states,
                                                                       const long length, const long chunkLength) {
  local real scratch[GROUP];
  const long chunks = (length + chunkLength - 1) / chunkLength, row = get_group_id(0) / chunks,
             chunkIndex = get_group_id(0) % chunks;
  const long from = row * length + chunkIndex * chunkLength,
             end = row * length + min(length, (chunkIndex + 1) * chunkLength);
  const long vectorEnd = from + (end - from) / LANES * LANES, step = GROUP * LANES;
  real chunkMax = EMPTY_MAX;
#if LANES > 1
  vec laneMax = EMPTY_MAX;
  for (long n = from; n < vectorEnd; n += step) {
    const vec x = LOAD_INPUT(n);
    laneMax = x > laneMax ? x : laneMax;
  }
  for (int m = 0; m < LANES; m++) {
    chunkMax = fmax(chunkMax, ((real*)&laneMax)[m]);
  }
#else
  for (long n = from + get_local_id(0); n < vectorEnd; n += step) {
    const real x = LOAD_INPUT(n);
    chunkMax = x > chunkMax ? x : chunkMax;
  }
#endif
  for (long n = vectorEnd + get_local_id(0); n < end; n += GROUP) {
    const real x = LOAD(STORAGE, input, n);
    chunkMax = x > chunkMax ? x : chunkMax;
  }
  chunkMax = group_max(chunkMax, scratch);
  vec sums = 0;
  for (long n = from + get_local_id(0) * LANES; n < vectorEnd; n += step) {
    sums += accurate_exp2((LOAD_INPUT(n) - chunkMax) * LOG2E);
  }
  real chunkSum = sum_lanes(sums);
  for (long n = vectorEnd + get_local_id(0); n < end; n += GROUP) {
    chunkSum += accurate_exp2((LOAD(STORAGE, input, n) - chunkMax) * LOG2E);
  }
  chunkSum = group_sum(chunkSum, scratch);
  if (get_local_id(0) == 0) {
    states[2 * get_group_id(0)] = chunkMax;
    states[2 * get_group_id(0) + 1] = chunkSum;
  }
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_write(global const element* input,
                                                                             global const real* states,
                                                                             global element* output, const long length,
                                                                             const long chunkLength,
                                                                             const long merged) {
  const long chunks = (length + chunkLength - 1) / chunkLength, row = get_group_id(0) / chunks,
             chunkIndex = get_group_id(0) % chunks;
  const long from = row * length + chunkIndex * chunkLength,
             end = row * length + min(length, (chunkIndex + 1) * chunkLength);
  real rowMax = EMPTY_MAX, sum = 0;
  for (long n = row * merged; n < (row + 1) * merged; n++) {
    rowMax = states[2 * n] > rowMax ? states[2 * n] : rowMax;
  }
  for (long n = row * merged; n < (row + 1) * merged; n++) {
    sum += states[2 * n + 1] == 0 ? 0 : states[2 * n + 1] * accurate_exp2((states[2 * n] - rowMax) * LOG2E);
  }
  const real logSum = LOGARITHM ? log(sum) : 0, inverse = 1 / sum;
  for (long n = from + get_local_id(0); n < end; n += GROUP) {
    const real x = LOAD(STORAGE, input, n);
    real y = LOGARITHM ? x - rowMax - logSum : accurate_exp2((x - rowMax) * LOG2E) * inverse;
    if (sum == 0) {
      y = LOGARITHM ? -INFINITY : 0;
    }
    STORE(STORAGE, y, output, n);
  }
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_gradient_sums(global const element* output,
                                                                                     global const element* gradient,
                                                                                     global real* states,
                                                                                     const long length,
                                                                                     const long chunkLength) {
  local real scratch[GROUP];
  const long chunks = (length + chunkLength - 1) / chunkLength, row = get_group_id(0) / chunks,
             chunkIndex = get_group_id(0) % chunks;
  const long from = row * length + chunkIndex * chunkLength,
             end = row * length + min(length, (chunkIndex + 1) * chunkLength);
  real sum = 0, compensation = 0, anyFinite = 0;
  for (long n = from + get_local_id(0); n < end; n += GROUP) {
    const real y = LOAD(STORAGE, output, n), dy = LOAD(STORAGE, gradient, n);
    const real x = (LOGARITHM ? dy : dy * y) - compensation;
    const real next = sum + x;
    compensation = (next - sum) - x;
    sum = next;
    anyFinite = y != -INFINITY ? 1 : anyFinite;
  }
  sum = group_sum(sum, scratch);
  anyFinite = group_sum(anyFinite, scratch);
  if (get_local_id(0) == 0) {
    states[2 * get_group_id(0)] = sum;
    states[2 * get_group_id(0) + 1] = anyFinite;
  }
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_gradient(
    global const element* output, global const element* gradient, global const real* states, global element* to,
    const long length, const long chunkLength, const long merged) {
  const long chunks = (length + chunkLength - 1) / chunkLength, row = get_group_id(0) / chunks,
             chunkIndex = get_group_id(0) % chunks;
  const long from = row * length + chunkIndex * chunkLength,
             end = row * length + min(length, (chunkIndex + 1) * chunkLength);
  real sum = 0, anyFinite = 0;
  for (long n = row * merged; n < (row + 1) * merged; n++) {
    sum += states[2 * n];
    anyFinite += states[2 * n + 1];
  }
  for (long n = from + get_local_id(0); n < end; n += GROUP) {
    const real y = LOAD(STORAGE, output, n), dy = LOAD(STORAGE, gradient, n);
    real dx = LOGARITHM ? dy - exp(y) * sum : y * (dy - sum);
    STORE(STORAGE, LOGARITHM && anyFinite == 0 ? (real)0 : dx, to, n);
  }
}
