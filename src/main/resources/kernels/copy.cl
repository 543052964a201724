// Copies a strided tensor of up to six axes within the device, to other strides or another storage type.
//
// -D options: FROM and TO, the storage types, or BYTES. One work-item per element, in row-major order of the axes.
#include "element.h"

#ifndef FROM // storage type of the source
#define FROM 32
#endif
#ifndef TO // storage type of the target
#define TO 32
#endif

#ifndef BYTES // bytes per element if elements are copied unchanged; 0 if they are converted
#define BYTES 0
#endif

// COPY_ELEMENT(f, t): copies element f of the source to element t of the target.
#if BYTES == 0
typedef STORED(FROM) source;
typedef STORED(TO) target;
#define COPY_ELEMENT(f, t) STORE(TO, LOAD(FROM, from, f), to, t)
#else
#if BYTES == 1
typedef uchar source;
#elif BYTES == 2
typedef ushort source;
#elif BYTES == 4
typedef uint source;
#else
typedef ulong source;
#endif
typedef source target;
#define COPY_ELEMENT(f, t) to[t] = from[f]
#endif

// Offsets, sizes and strides, in elements, outermost axis first; unused axes have size 1.
typedef struct {
  long fromOffset, toOffset, size[6], fromStride[6], toStride[6];
} Copy;

kernel void copy(const Copy c, global const source* from, global target* to) {
  long n = get_global_id(0), f = c.fromOffset, t = c.toOffset;
  for (int axis = 5; axis >= 0; axis--) {
    const long index = n % c.size[axis];
    n /= c.size[axis];
    f += index * c.fromStride[axis];
    t += index * c.toStride[axis];
  }
  if (n == 0) {
    COPY_ELEMENT(f, t);
  }
}
