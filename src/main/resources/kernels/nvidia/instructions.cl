// Test kernels for the instructions of mma.h, run by MatrixProbe. -DTRY=<n> compiles one of them, so that an unsupported
// instruction does not make the others fail. A launch is one work-group of one warp.
//
//   1 cp.async    2 ldmatrix    3 ldmatrix.trans    4 mma.sync    5 shfl.sync    6 ex2.approx    7 cvt.rn
//   8 cp.async.wait_group, bar.warp.sync    16 mma.sync in tf32
#define ITEMS 32
#include "nvidia/mma.h"

// The local memory and the warp of a test.
#define BEGIN \
  local stored tile[256] __attribute__((aligned(128))); \
  local float exchange[EXCHANGE_FLOATS]; \
  const Warp w = warp_of(tile, exchange, (int)get_local_id(0))

#if TRY == 1
// Copies 32 chunks, one per lane; lane 5 copies only three elements. `out` is the tile, reversed.
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void copies(global const ushort* in, global ushort* out) {
  BEGIN;
  for (int e = 0; e < 8; e++) {
    tile[w.lane * 8 + e] = 0xffff;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  copy_chunk(w, origin(w) + w.lane * CHUNK_BYTES, in + w.lane * 8, w.lane == 5 ? 6 : 16);
  commit_copies();
  await_copies();
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int x = w.lane; x < 256; x += 32) {
    out[x] = tile[255 - x];
  }
}
#endif

#if TRY == 2 || TRY == 3
// Loads four consecutive matrices of 8 x 8; out[lane][matrix].
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void matrices(global const ushort* in, global uint* out) {
  BEGIN;
  for (int x = w.lane; x < 256; x += 32) {
    tile[x] = in[x];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  uint fragment[4];
#if TRY == 2
  load_matrices(w, origin(w) + w.lane * CHUNK_BYTES, fragment);
#else
  load_transposed(w, origin(w) + w.lane * CHUNK_BYTES, fragment);
#endif
  for (int m = 0; m < 4; m++) {
    out[w.lane * 4 + m] = fragment[m];
  }
}
#endif

#if TRY == 4
// out[16][8] = 1 + a[16][16] b[16][8].
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void product(
    global const ushort* a, global const ushort* b, global float* out) {
  BEGIN;
  const int row = w.lane / 4, two = w.lane % 4 * 2;
  uint left[4], right[2];
  for (int n = 0; n < 4; n++) {
    const int offset = (row + n % 2 * 8) * 16 + two + n / 2 * 8;
    left[n] = a[offset] | (uint)a[offset + 1] << 16;
  }
  for (int n = 0; n < 2; n++) {
    const int offset = (two + n * 8) * 8 + row;
    right[n] = b[offset] | (uint)b[offset + 8] << 16;
  }
  float c[4] = {1, 1, 1, 1};
  mma(w, left, right[0], right[1], c);
  for (int e = 0; e < 4; e++) {
    out[(row + e / 2 * 8) * 8 + two + e % 2] = c[e];
  }
}
#endif

#if TRY == 16
// out[16][8] = 1 + a[16][8] b[8][8] in tf32. The fragment of `a` is loaded by ldmatrix; inputs are rounded to tf32 here.
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void product_tf32(
    global const uint* a, global const uint* b, global float* out) {
  BEGIN;
  for (int x = w.lane; x < 128; x += 32) {
    tile[x] = a[x];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  uint left[4];
  load_matrices(w, origin(w) + w.lane % 16 * 32 + w.lane / 16 * CHUNK_BYTES, left);
  round_fragment(left);
  const int row = w.lane % 4, column = w.lane / 4;
  float c[4] = {1, 1, 1, 1};
  mma(w, left, tf32(b[row * 8 + column]), tf32(b[(row + 4) * 8 + column]), c);
  for (int e = 0; e < 4; e++) {
    out[(w.lane / 4 + e / 2 * 8) * 8 + w.lane % 4 * 2 + e % 2] = c[e];
  }
}
#endif

#if TRY == 5
// out[lane] = lane ^ 3, by two exchanges.
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void lanes(global float* out) {
  BEGIN;
  const float one = shuffle_xor(w, (float)w.lane, 1);
  out[w.lane] = shuffle_xor(w, one, 2);
}
#endif

#if TRY == 6
// out[n] = 2^in[n].
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void powers(global const float* in, global float* out) {
  out[get_global_id(0)] = fast_exp2(in[get_global_id(0)]);
}
#endif

#if TRY == 7
// Rounds pairs of f32 to the storage type.
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void packed(global const float* in, global uint* out) {
  out[get_global_id(0)] = pack(in[2 * get_global_id(0)], in[2 * get_global_id(0) + 1]);
}
#endif

#if TRY == 8
// Starts three groups of copies, the third without copies. Waits for the first group and writes its 16 chunks, reversed, to
// the first half of `out`. Then waits for the second group, overwrites its chunks after a barrier of the warp, and writes
// them to the second half.
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void groups(global const ushort* in, global ushort* out) {
  BEGIN;
  copy_chunk(w, origin(w) + w.lane % 16 * CHUNK_BYTES, in + w.lane % 16 * 8, 16);
  commit_copies();
  copy_chunk(w, origin(w) + (w.lane % 16 + 16) * CHUNK_BYTES, in + w.lane % 16 * 8, 16);
  commit_copies();
  commit_copies();
  AWAIT_ALL_BUT(2);
  sync_warp();
  for (int x = w.lane; x < 128; x += 32) {
    out[x] = tile[127 - x];
  }
  AWAIT_ALL_BUT(1);
  sync_warp();
  copy_chunk(w, origin(w) + (31 - w.lane % 16) * CHUNK_BYTES, in + (w.lane % 16 + 16) * 8, 16);
  commit_copies();
  AWAIT_ALL_BUT(0);
  sync_warp();
  for (int x = w.lane; x < 128; x += 32) {
    out[128 + x] = tile[128 + x];
  }
}
#endif
