// Softmax and log-softmax of rows without gaps, and their gradients. A row is read in chunks, each by one work-group that
// leaves a state (max, sum); a second launch merges a row's states in their order and writes. A short row is one chunk. A row
// that does not fit the device comes in pieces of whole chunks: `merged` counts the chunks of all of it.
// GROUP items of LANES elements at a time: 1 x 16 on a CPU device, 64 x 1 on a GPU.
#include "exponential.h"

#ifndef GROUP
#define GROUP 1
#endif
#ifndef LOGARITHM
#define LOGARITHM 0
#endif

typedef STORED(STORAGE) element;

inline real sum_of(real mine, local real* all) {
  const int item = (int)get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  all[item] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int apart = GROUP / 2; apart > 0; apart /= 2) {
    if (item < apart) {
      all[item] += all[item + apart];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return all[0];
}

inline real most_of(real mine, local real* all) {
  const int item = (int)get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  all[item] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int apart = GROUP / 2; apart > 0; apart /= 2) {
    if (item < apart) {
      all[item] = fmax(all[item], all[item + apart]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return all[0];
}

inline real lanes_sum(vec x) {
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

#if LANES > 1
#define AT(x) LOADV(STORAGE, input, x)
#else
#define AT(x) LOAD(STORAGE, input, x)
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_states(
    global const element* input, global real* states, const long length, const long chunk) {
  local real all[GROUP];
  const long chunks = (length + chunk - 1) / chunk, row = get_group_id(0) / chunks, part = get_group_id(0) % chunks;
  const long from = row * length + part * chunk, end = row * length + min(length, (part + 1) * chunk);
  const long whole = from + (end - from) / LANES * LANES, step = GROUP * LANES;
  real most = NOTHING;
#if LANES > 1
  vec wide = NOTHING;
  for (long n = from; n < whole; n += step) {
    const vec x = AT(n);
    wide = x > wide ? x : wide;
  }
  for (int m = 0; m < LANES; m++) {
    most = fmax(most, ((real*)&wide)[m]);
  }
#else
  for (long n = from + get_local_id(0); n < whole; n += step) {
    const real x = AT(n);
    most = x > most ? x : most;
  }
#endif
  for (long n = whole + get_local_id(0); n < end; n += GROUP) {
    const real x = LOAD(STORAGE, input, n);
    most = x > most ? x : most;
  }
  most = most_of(most, all);
  vec sums = 0;
  for (long n = from + get_local_id(0) * LANES; n < whole; n += step) {
    sums += power((AT(n) - most) * LOG2E);
  }
  real sum = lanes_sum(sums);
  for (long n = whole + get_local_id(0); n < end; n += GROUP) {
    sum += power((LOAD(STORAGE, input, n) - most) * LOG2E);
  }
  sum = sum_of(sum, all);
  if (get_local_id(0) == 0) {
    states[2 * get_group_id(0)] = most;
    states[2 * get_group_id(0) + 1] = sum;
  }
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_write(
    global const element* input, global const real* states, global element* output, const long length,
    const long chunk, const long merged) {
  const long chunks = (length + chunk - 1) / chunk, row = get_group_id(0) / chunks, part = get_group_id(0) % chunks;
  const long from = row * length + part * chunk, end = row * length + min(length, (part + 1) * chunk);
  real most = NOTHING, sum = 0;
  for (long n = row * merged; n < (row + 1) * merged; n++) {
    most = states[2 * n] > most ? states[2 * n] : most;
  }
  for (long n = row * merged; n < (row + 1) * merged; n++) {
    sum += states[2 * n + 1] == 0 ? 0 : states[2 * n + 1] * power((states[2 * n] - most) * LOG2E);
  }
  const real log_ = LOGARITHM ? log(sum) : 0, inverse = 1 / sum;
  for (long n = from + get_local_id(0); n < end; n += GROUP) {
    const real x = LOAD(STORAGE, input, n);
    real y = LOGARITHM ? x - most - log_ : power((x - most) * LOG2E) * inverse;
    if (sum == 0) {
      y = LOGARITHM ? -INFINITY : 0;
    }
    STORE(STORAGE, y, output, n);
  }
}

// sums[row][chunk]: of dy y, or of dy for the logarithm, and whether any y is above minus infinity.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_flows(
    global const element* output, global const element* gradient, global real* states, const long length,
    const long chunk) {
  local real all[GROUP];
  const long chunks = (length + chunk - 1) / chunk, row = get_group_id(0) / chunks, part = get_group_id(0) % chunks;
  const long from = row * length + part * chunk, end = row * length + min(length, (part + 1) * chunk);
  real sum = 0, lost = 0, alive = 0;
  for (long n = from + get_local_id(0); n < end; n += GROUP) {
    const real y = LOAD(STORAGE, output, n), dy = LOAD(STORAGE, gradient, n);
    const real x = (LOGARITHM ? dy : dy * y) - lost;
    const real next = sum + x;
    lost = (next - sum) - x;
    sum = next;
    alive = y != -INFINITY ? 1 : alive;
  }
  sum = sum_of(sum, all);
  alive = sum_of(alive, all);
  if (get_local_id(0) == 0) {
    states[2 * get_group_id(0)] = sum;
    states[2 * get_group_id(0) + 1] = alive;
  }
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void softmax_gradient(
    global const element* output, global const element* gradient, global const real* states, global element* to,
    const long length, const long chunk, const long merged) {
  const long chunks = (length + chunk - 1) / chunk, row = get_group_id(0) / chunks, part = get_group_id(0) % chunks;
  const long from = row * length + part * chunk, end = row * length + min(length, (part + 1) * chunk);
  real sum = 0, alive = 0;
  for (long n = row * merged; n < (row + 1) * merged; n++) {
    sum += states[2 * n];
    alive += states[2 * n + 1];
  }
  for (long n = from + get_local_id(0); n < end; n += GROUP) {
    const real y = LOAD(STORAGE, output, n), dy = LOAD(STORAGE, gradient, n);
    real dx = LOGARITHM ? dy - exp(y) * sum : y * (dy - sum);
    STORE(STORAGE, LOGARITHM && alive == 0 ? (real)0 : dx, to, n);
  }
}
