// A warp of 32 work-items at the matrix units of an NVIDIA GPU: what OpenCL C has no word for. With PTX=1 it is inline PTX
// for sm_80 and later; else the same on any device, the fragments' arithmetic going through local memory. That twin runs on
// no lock-step: it has barriers of the whole work-group within, so all warps must come here together and equally often.
//
// A tile in local memory is rows of 16-byte chunks, eight elements each or four of f32, which lie where place() says: eight
// lanes that read the same chunk of eight rows meet eight different groups of banks.
#ifndef HEED_MMA
#define HEED_MMA
#include "exponential.h"

#ifndef PTX
#define PTX 0
#endif
#define WARP 32
#define CHUNK_BYTES 16 // bytes
#define PER_CHUNK_16 8  // elements of a chunk, if they have 16 bits

#if STORAGE == 16
#define MMA_TYPE "f16"
#define EXPONENT_BITS 0x7c00 // set in infinities and NaNs only
#elif STORAGE == 17
#define MMA_TYPE "bf16"
#define EXPONENT_BITS 0x7f80
#elif STORAGE == 32
#define MMA_TYPE "tf32"
#define EXPONENT_BITS 0x7f800000
#else
#error "fragments are f16, bf16 or, of f32, tf32"
#endif
#if STORAGE == 32
typedef uint stored; // an element as it lies there
#define ELEMENT_BYTES 4
#define SIGN_BIT 0x80000000
#else
typedef ushort stored;
#define ELEMENT_BYTES 2
#define SIGN_BIT 0x8000
#endif
#define PER_CHUNK (CHUNK_BYTES / ELEMENT_BYTES)
#define MMA_K (2 * PER_CHUNK) // what one instruction adds up: 16 products, of tf32 8

#if PTX
#define INLINE static inline __attribute__((always_inline)) // else fragments are in memory
#define EXCHANGE_FLOATS 1
#else
#define INLINE static
#define EXCHANGE_FLOATS (12 * ITEMS) // what lanes tell each other: the 12 numbers of two fragments
#endif

typedef struct {
  local stored* tiles;
  local float* exchange;
  int item, lane, warp;
} Warp;

INLINE Warp warp_of(local stored* tiles, local float* exchange, int item) {
  Warp w = {tiles, exchange, item, item % WARP, item / WARP};
  return w;
}

// The same number, but the compiler does not know: what follows from it is computed where it is needed, and not kept in
// registers all through a loop.
INLINE int opaque(int x) {
#if PTX
  asm volatile("" : "+r"(x));
#endif
  return x;
}

// Where a chunk of a row lies in a tile whose rows have `chunks` of them, a multiple of four; in bytes.
INLINE uint chunk_offset(uint row, uint chunk, uint chunks) {
  const uint swizzle = chunks % 8 == 0 ? row & 7 : row >> 1 & 3;
  return (row * chunks + (chunk ^ swizzle)) * CHUNK_BYTES;
}

// The address of the tiles as the functions below count it, in bytes.
INLINE uint origin(Warp w) {
#if PTX
  return (uint)(size_t)w.tiles;
#else
  return 0;
#endif
}

// One chunk from far away to `to`; what lies behind its first `bytes` becomes zeros, and is not read.
INLINE void copy_chunk(Warp w, uint to, global const stored* from, uint bytes) {
#if PTX
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
#else
  for (uint e = 0; e < PER_CHUNK; e++) {
    w.tiles[to / ELEMENT_BYTES + e] = ELEMENT_BYTES * e < bytes ? from[e] : (stored)0;
  }
#endif
}

// The item's copies so far are one group. The twin copies at once: that others wait for them is what its barriers show.
INLINE void commit_copies(void) {
#if PTX
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits for the groups of this item but the last n, a literal number.
#if PTX
#define AWAIT_ALL_BUT_(n) asm volatile("cp.async.wait_group " #n ";" ::: "memory")
#define AWAIT_ALL_BUT(n) AWAIT_ALL_BUT_(n)
#else
#define AWAIT_ALL_BUT(n)
#endif

// A barrier of one warp, for local memory that no other warp touches. The twin's is everybody's.
INLINE void sync_warp(void) {
#if PTX
  asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
#else
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

// Brings the lanes of a warp together, behind branches that rows take one by one: a product is an instruction of all of them.
INLINE void converge(void) {
#if PTX
  asm volatile("bar.warp.sync 0xffffffff;");
#endif
}

// Waits for all groups of this item; a barrier makes them everybody's.
INLINE void await_copies(void) {
#if PTX
  asm volatile("cp.async.wait_group 0;" ::: "memory");
#endif
}

// Four matrices of 8 x 8 elements: lanes 8m ... 8m + 7 say where the rows of matrix m lie; of each matrix a lane receives two
// neighbours of row lane / 4, columns 2 (lane % 4) and the next. Of f32, matrices of 8 x 4: row lane / 4, column lane % 4.
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
    const uint row = as_uint(w.exchange[w.warp * WARP + m * 8 + w.lane / 4]) / ELEMENT_BYTES + w.lane % 4 * (4 / ELEMENT_BYTES);
#if STORAGE == 32
    fragment[m] = w.tiles[row];
#else
    fragment[m] = w.tiles[row] | (uint)w.tiles[row + 1] << 16;
#endif
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

#if STORAGE != 32 // there are no such loads of 32 bits
// The same of the transposed matrices: column lane / 4, rows 2 (lane % 4) and the next.
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
INLINE float unpack(uint word, int high) {
  const ushort bits = (ushort)(high ? word >> 16 : word);
#if STORAGE == 16
  return vload_half(0, (const half*)&bits);
#else
  return as_float((uint)bits << 16);
#endif
}
#endif

// c[16][8] += a[16][16] b[16][8]. Of a and c a lane holds pairs of rows lane / 4 and that + 8, columns 2 (lane % 4) and the
// next, a first of the left half, then of the right; of b pairs of rows 2 (lane % 4) and that + 8, column lane / 4.
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
// The nearest tf32, ties away from zero, as the bits of an f32: 10 bits of its 23 stay.
INLINE uint tf32(uint bits) {
#if PTX
  uint rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(as_float(bits)));
  return rounded;
#else
  return (bits & EXPONENT_BITS) == EXPONENT_BITS ? bits : (bits + 0x1000) & ~0x1fffu;
#endif
}

INLINE void round_fragment(uint fragment[4]) {
  for (int e = 0; e < 4; e++) {
    fragment[e] = tf32(fragment[e]);
  }
}

// c[16][8] += a[16][8] b[8][8] of tf32. Of a a lane holds rows lane / 4 and that + 8 of column lane % 4, then of column
// lane % 4 + 4; of b rows lane % 4 and that + 4 of column lane / 4; c as of 16 bits.
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

// x of the lane whose number differs in the bits of `mask`, 1 or 2: the four lanes that share rows of a fragment.
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

// 2^x; below the smallest normal number 0.
INLINE float fast_exp2(float x) {
#if PTX
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return accurate_exp2(x);
#endif
}

// Whether the largest score of a row, times the factor, is so far from 0 that what its product was rounded by counts in a
// power: such rows subtract before they multiply.
INLINE bool is_far(float pivot) { return fabs(pivot) > 256; }

#if STORAGE != 32
// Two numbers in the storage type, to nearest, ties to even.
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
