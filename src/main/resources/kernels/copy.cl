// Elements from one place, type and order to another, on the device.
#include "element.h"

#ifndef FROM
#define FROM 32
#endif
#ifndef TO
#define TO 32
#endif

#ifndef BYTES // of an element that is copied as it is; 0 converts
#define BYTES 0
#endif

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

// Up to six axes, outermost first; axes that are not there have size 1.
typedef struct {
  long fromOffset, toOffset, size[6], fromStride[6], toStride[6];
} Copy;

// One work-item an element, in row-major order.
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
