// Element types, with macros that load and store elements. A kernel computes in `real`: double for f64 problems, else
// float. A storage type is a code that is pasted into names: 32 = f32, 64 = f64, 16 = f16, 17 = bf16. f16 is accessed by
// vload_half and vstore_half, which every OpenCL 1.0 device has; cl_khr_fp16 is not needed.
#ifndef HEED_ELEMENT
#define HEED_ELEMENT

#ifndef STORAGE // storage type of the tensors
#define STORAGE 32
#endif
#ifndef REAL_F64 // 1 if `real` is double
#define REAL_F64 0
#endif
#ifndef LANES // elements of a vector in kernels that compute with vectors
#define LANES 16
#endif

#if REAL_F64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

// UNROLL and UNROLL_ON_GPU precede loops over the cells of a work-item. On a GPU an array is in registers only if every
// index is a constant. On a CPU device it is in memory, and unrolling would make compilation many times slower.
#ifndef GPU // 0 on a CPU device, else 1
#define GPU 0
#endif
#if GPU
#define UNROLL _Pragma("unroll")
#define UNROLL_ON_GPU UNROLL
#else
#define UNROLL
#define UNROLL_ON_GPU _Pragma("unroll 1") // no unrolling, for loops with long bodies
#endif

#ifndef HAS_FMA // 1 if the driver can link fma; if 0, mad is used, which may round the product before the sum
#define HAS_FMA 1
#endif
#if !HAS_FMA
#define fma(a, b, c) mad(a, b, c)
#endif

// PASTE: expands two tokens and joins them into one.
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

// EMPTY_MAX: the maximum of a row before its first key. It is finite, so that no difference of two maxima is NaN.
#if REAL_F64
typedef double real;
#define EMPTY_MAX (-DBL_MAX)
#define LOG2E 1.4426950408889634
#else
typedef float real;
#define EMPTY_MAX (-FLT_MAX)
#define LOG2E 1.44269504f
#endif

// MAGNITUDE_BITS: the bits of x without the sign, as an unsigned integer. It increases with |x|; NaN is above infinity.
#if REAL_F64
typedef ulong magnitude_bits;
#define MAGNITUDE_BITS(x) (as_ulong(x) << 1)
#else
typedef uint magnitude_bits;
#define MAGNITUDE_BITS(x) (as_uint(x) << 1)
#endif

// vec: LANES reals; truth: the result of a comparison of two vecs; words: LANES 32-bit words.
#if LANES == 1
typedef real vec;
#elif REAL_F64
typedef PASTE(double, LANES) vec;
typedef PASTE(long, LANES) truth;
#else
typedef PASTE(float, LANES) vec;
typedef PASTE(int, LANES) truth;
#endif
#if LANES > 1
typedef PASTE(uint, LANES) words;
#define VLOAD(index, from) PASTE(vload, LANES)(index, from)
#endif

// STORED(storage): the type of an element in memory. LOAD(storage, p, i): element i of p as a real. LOADV: LANES elements
// of p from element i on, as a vec. STORE(storage, x, p, i): writes x, rounded, to element i of p.
typedef float stored_32;
typedef half stored_16;
typedef ushort stored_17;
#define STORED(storage) PASTE(stored_, storage)

#define LOAD_32(p, i) ((p)[i])
#define LOAD_16(p, i) vload_half(i, p)
#define LOAD_17(p, i) as_float((uint)(p)[i] << 16)
#define LOAD(storage, p, i) ((real)PASTE(LOAD_, storage)(p, i))

#define LOADV_32(p, i) PASTE(vload, LANES)(0, (p) + (i))
#define LOADV_16(p, i) PASTE(vload_half, LANES)(0, (p) + (i))
#define LOADV_17(p, i) \
  PASTE(as_float, LANES)(PASTE(convert_uint, LANES)(PASTE(vload, LANES)(0, (p) + (i))) << 16)
#define LOADV(storage, p, i) PASTE(LOADV_, storage)(p, i)

#define STORE_32(x, p, i) ((p)[i] = (x))
#define STORE_16(x, p, i) vstore_half_rte(x, i, p)
#define STORE_17(x, p, i) ((p)[i] = bf16(x))
#define STORE(storage, x, p, i) PASTE(STORE_, storage)(x, p, i)

#if REAL_F64
typedef double stored_64;
#define LOAD_64(p, i) ((p)[i])
#define LOADV_64(p, i) PASTE(vload, LANES)(0, (p) + (i))
#define STORE_64(x, p, i) ((p)[i] = (x))
#endif

// x rounded to bf16: to nearest, ties to even. A NaN stays a NaN, even if its payload is only in the lower 16 bits.
inline ushort bf16(float x) {
  const uint bits = as_uint(x);
  return isnan(x) ? (ushort)(bits >> 16 | 0x40) : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
