// Elements from one place, type and order to another, on the device.
#include "element.h"

#ifndef FROM
#define FROM 32
#endif
#ifndef TO
#define TO 32
#endif

// Up to six axes, outermost first; axes that are not there have size 1.
typedef struct {
  long fromAt, toAt, size[6], from[6], to[6];
} Copy;

// One work-item an element, in row-major order.
kernel void copy(const Copy c, global const STORED(FROM)* from, global STORED(TO)* to) {
  long n = get_global_id(0), f = c.fromAt, t = c.toAt;
  for (int axis = 5; axis >= 0; axis--) {
    const long index = n % c.size[axis];
    n /= c.size[axis];
    f += index * c.from[axis];
    t += index * c.to[axis];
  }
  if (n == 0) {
    STORE(TO, LOAD(FROM, from, f), to, t);
  }
}
