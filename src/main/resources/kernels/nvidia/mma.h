// Instructions of NVIDIA GPUs that kernels for matrix units need and that OpenCL C cannot express, for a warp of 32
// work-items: asynchronous copies (cp.async), loads of fragments (ldmatrix), products (mma.sync), exchange between lanes
// (shfl.sync). With PTX=1 they are inline PTX for sm_80 and later. With PTX=0 an emulation does the same on any device,
// through local memory. The emulation does not assume that the lanes of a warp run in lockstep: it contains barriers of the
// whole work-group, so all warps must call these functions together and equally often.
//
// A tile in local memory consists of rows of 16-byte chunks, of eight 16-bit elements or four f32 each. chunk_offset()
// permutes the chunks of a row (swizzle), so that eight lanes that read the same chunk of eight rows access eight different
// groups of banks.
//
// -D options: STORAGE (16, 17, or 32 for products in tf32), PTX. The file that includes this one defines ITEMS, the
// work-items of a group.
#ifndef HEED_MMA
#define HEED_MMA
#include "exponential.h"

#ifndef PTX // 1: inline PTX; 0: the emulation
#define PTX 0
#endif
#define WARP 32        // lanes of a warp
#define CHUNK_BYTES 16 // bytes of a chunk
#define PER_CHUNK_16 8 // 16-bit elements of a chunk

// MMA_TYPE: the name of the element type in PTX. EXPONENT_BITS: a mask of the exponent bits; only infinities and NaNs have
// all of them set. SIGN_BIT: a mask of the sign bit. stored: the type of an element's bits; ELEMENT_BYTES: the size of an
// element in bytes.
#if STORAGE == 16
#define MMA_TYPE "f16"
#define EXPONENT_BITS 0x7c00
#elif STORAGE == 17
#define MMA_TYPE "bf16"
#define EXPONENT_BITS 0x7f80
#elif STORAGE == 32
#define MMA_TYPE "tf32"
#define EXPONENT_BITS 0x7f800000
#else
#error "STORAGE must be 16 (f16), 17 (bf16) or 32 (f32, multiplied as tf32)"
#endif
#if STORAGE == 32
typedef uint stored;
#define ELEMENT_BYTES 4
#define SIGN_BIT 0x80000000
#else
typedef ushort stored;
#define ELEMENT_BYTES 2
#define SIGN_BIT 0x8000
#endif
#define PER_CHUNK (CHUNK_BYTES / ELEMENT_BYTES) // elements of a chunk
#define MMA_K (2 * PER_CHUNK)                   // products per cell that one mma adds up: 16, in tf32 8

// INLINE: with PTX always inlined, because arguments of a call would be in memory, not in registers.
// EXCHANGE_FLOATS: floats of local memory through which the emulation exchanges fragments, 12 elements per lane.
#if PTX
#define INLINE static inline __attribute__((always_inline))
#define EXCHANGE_FLOATS 1
#else
#define INLINE static
#define EXCHANGE_FLOATS (12 * ITEMS)
#endif

// The local memory of the tiles, the local memory of the emulation, and the indices of a work-item: its local id, its lane
// in the warp, its warp.
typedef struct {
  local stored* tiles;
  local float* exchange;
  int item, lane, warp;
} Warp;

INLINE Warp warp_of(local stored* tiles, local float* exchange, int item) {
  Warp w = {tiles, exchange, item, item % WARP, item / WARP};
  return w;
}

// Returns x as a value that the compiler cannot trace: it computes values that depend on x where they are used, instead of
// keeping them in registers throughout a loop.
INLINE int opaque(int x) {
#if PTX
  asm volatile("" : "+r"(x));
#endif
  return x;
}

// The byte offset of a chunk of a row in a tile whose rows have `chunks` chunks, which must be a multiple of four.
INLINE uint chunk_offset(uint row, uint chunk, uint chunks) {
  const uint swizzle = chunks % 8 == 0 ? row & 7 : row >> 1 & 3;
  return (row * chunks + (chunk ^ swizzle)) * CHUNK_BYTES;
}

// The byte address of the tiles in local memory, for the functions below; 0 in the emulation.
INLINE uint origin(Warp w) {
#if PTX
  return (uint)(size_t)w.tiles;
#else
  return 0;
#endif
}

// Starts copying a chunk from global memory to the address `to`, see origin(). Only the first `bytes` bytes are read; the
// other bytes of the chunk at `to` become zeros.
INLINE void copy_chunk(Warp w, uint to, global const stored* from, uint bytes) {
#if PTX
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
#else
  for (uint e = 0; e < PER_CHUNK; e++) {
    w.tiles[to / ELEMENT_BYTES + e] = ELEMENT_BYTES * e < bytes ? from[e] : (stored)0;
  }
#endif
}

// Combines the copies that this work-item has started since the last call into one group. The emulation has no groups: it
// copies at once.
INLINE void commit_copies(void) {
#if PTX
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits for all groups of this work-item except the last n; n must be an integer literal or a macro for one.
#if PTX
#define AWAIT_ALL_BUT_(n) asm volatile("cp.async.wait_group " #n ";" ::: "memory")
#define AWAIT_ALL_BUT(n) AWAIT_ALL_BUT_(n)
#else
#define AWAIT_ALL_BUT(n)
#endif

// A barrier of one warp, for local memory that only this warp uses. In the emulation it is a barrier of the work-group.
INLINE void sync_warp(void) {
#if PTX
  asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
#else
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

// Reconverges the lanes of a warp after a branch that only some of them took: mma.sync needs all lanes.
INLINE void converge(void) {
#if PTX
  asm volatile("bar.warp.sync 0xffffffff;");
#endif
}

// Waits for all groups of this work-item. A barrier must follow, to make the copies visible to other work-items.
INLINE void await_copies(void) {
#if PTX
  asm volatile("cp.async.wait_group 0;" ::: "memory");
#endif
}

// Loads four matrices of 8 x 8 elements. Lanes 8m ... 8m + 7 give the addresses of the rows of matrix m. A lane receives
// two elements of row lane / 4 of each matrix: columns 2 (lane % 4) and the next. With f32 the matrices are 8 x 4, and a lane
// receives row lane / 4, column lane % 4.
INLINE void load_matrices(Warp w, uint address, uint fragment[4]) {
#if PTX
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(address)
               : "memory");
#else
  w.exchange[w.item] = as_float(address);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int m = 0; m < 4; m++) {
    const uint row =
        as_uint(w.exchange[w.warp * WARP + m * 8 + w.lane / 4]) / ELEMENT_BYTES + w.lane % 4 * (4 / ELEMENT_BYTES);
#if STORAGE == 32
    fragment[m] = w.tiles[row];
#else
    fragment[m] = w.tiles[row] | (uint)w.tiles[row + 1] << 16;
#endif
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

#if STORAGE != 32 // ldmatrix cannot transpose 32-bit elements
// Loads four matrices, transposed: a lane receives rows 2 (lane % 4) and the next of column lane / 4 of each matrix.
INLINE void load_transposed(Warp w, uint address, uint fragment[4]) {
#if PTX
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(address)
               : "memory");
#else
  w.exchange[w.item] = as_float(address);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int m = 0; m < 4; m++) {
    const int first = w.warp * WARP + m * 8 + w.lane % 4 * 2;
    const uint low = w.tiles[as_uint(w.exchange[first]) / 2 + w.lane / 4];
    const uint high = w.tiles[as_uint(w.exchange[first + 1]) / 2 + w.lane / 4];
    fragment[m] = low | high << 16;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

#endif

#if STORAGE != 32
#if !PTX
// The low or high element of a word.
INLINE float unpack(uint word, int high) {
  const ushort bits = (ushort)(high ? word >> 16 : word);
#if STORAGE == 16
  return vload_half(0, (const half*)&bits);
#else
  return as_float((uint)bits << 16);
#endif
}
#endif

// c[16][8] += a[16][16] b[16][8]. The fragments of a lane are
//   a, c   rows lane / 4 and lane / 4 + 8, columns 2 (lane % 4) and the next; for a, then the same columns + 8
//   b      rows 2 (lane % 4) and the next, then the same + 8; column lane / 4
INLINE void mma(Warp w, const uint a[4], uint b0, uint b1, float c[4]) {
#if PTX
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." MMA_TYPE "." MMA_TYPE ".f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  local float* mine = w.exchange + 12 * w.item;
  for (int e = 0; e < 8; e++) {
    mine[e] = unpack(a[e / 2], e % 2);
  }
  for (int e = 0; e < 4; e++) {
    mine[8 + e] = unpack(e < 2 ? b0 : b1, e % 2);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  local const float* others = w.exchange + 12 * WARP * w.warp;
  for (int e = 0; e < 4; e++) {
    const int row = w.lane / 4, column = w.lane % 4 * 2 + e % 2;
    for (int k = 0; k < 16; k++) {
      const int pair = k % 8 / 2, right = k / 8;
      c[e] = fma(others[12 * (row * 4 + pair) + 4 * right + 2 * (e / 2) + k % 2],
                 others[12 * (column * 4 + pair) + 8 + 2 * right + k % 2], c[e]);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

#else
// The nearest tf32, ties away from zero, as the bits of an f32: 10 of its 23 mantissa bits remain.
INLINE uint tf32(uint bits) {
#if PTX
  uint rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(as_float(bits)));
  return rounded;
#else
  return (bits & EXPONENT_BITS) == EXPONENT_BITS ? bits : (bits + 0x1000) & ~0x1fffu;
#endif
}

// Rounds the elements of a fragment to tf32.
INLINE void round_fragment(uint fragment[4]) {
  for (int e = 0; e < 4; e++) {
    fragment[e] = tf32(fragment[e]);
  }
}

// c[16][8] += a[16][8] b[8][8] in tf32. The fragments of a lane are
//   a   rows lane / 4 and lane / 4 + 8 of column lane % 4, then of column lane % 4 + 4
//   b   rows lane % 4 and lane % 4 + 4 of column lane / 4
//   c   as with 16-bit elements
INLINE void mma(Warp w, const uint a[4], uint b0, uint b1, float c[4]) {
#if PTX
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  local float* mine = w.exchange + 12 * w.item;
  for (int e = 0; e < 4; e++) {
    mine[e] = as_float(a[e]);
  }
  mine[4] = as_float(b0);
  mine[5] = as_float(b1);
  barrier(CLK_LOCAL_MEM_FENCE);
  local const float* others = w.exchange + 12 * WARP * w.warp;
  for (int e = 0; e < 4; e++) {
    const int row = w.lane / 4, column = w.lane % 4 * 2 + e % 2;
    for (int k = 0; k < 8; k++) {
      c[e] = fma(others[12 * (row * 4 + k % 4) + 2 * (k / 4) + e / 2], others[12 * (column * 4 + k % 4) + 4 + k / 4], c[e]);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}
#endif

// x of lane ^ mask, with mask 1 or 2: an exchange among the four lanes that share the rows of a fragment.
INLINE float shuffle_xor(Warp w, float x, int mask) {
#if PTX
  float other;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, -1;" : "=f"(other) : "f"(x), "r"(mask));
  return other;
#else
  w.exchange[w.item] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  const float other = w.exchange[w.item ^ mask];
  barrier(CLK_LOCAL_MEM_FENCE);
  return other;
#endif
}

// 2^x; 0 if the result is below the smallest normal number.
INLINE float fast_exp2(float x) {
#if PTX
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return accurate_exp2(x);
#endif
}

// Whether `pivot`, which is rowMax * factor, is so large that its rounding error would matter in an exponent. In such a row,
// rowMax is subtracted from the scores before they are multiplied by the factor.
INLINE bool is_far(float pivot) { return fabs(pivot) > 256; }

#if STORAGE != 32
// `low` and `high`, rounded to the storage type (to nearest, ties to even), in the two halves of a word.
INLINE uint pack(float low, float high) {
#if PTX
  uint both;
  asm("cvt.rn." MMA_TYPE "x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
#elif STORAGE == 16
  ushort both[2];
  vstore_half_rte(low, 0, (half*)both);
  vstore_half_rte(high, 1, (half*)both);
  return both[0] | (uint)both[1] << 16;
#else
  return bf16(low) | (uint)bf16(high) << 16;
#endif
}
#endif

#endif
