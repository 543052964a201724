// Copies of rows to a tile. The file that includes this one defines ITEMS, the work-items of a group, and WHOLE, which is
// 1 if the rows of the matrix are as long as the rows of the tile.
#ifndef HEED_ROWS
#define HEED_ROWS
#include "nvidia/mma.h"

// Starts copying rows to a tile of `rows` x `columns` elements, by all work-items of a group. The matrix has `count` rows of
// `width` elements from `from` on; the rest of the tile becomes zeros.
INLINE void copy_rows(Warp w, uint to, global const stored* from, long rowStride, int count, int rows, int width,
                      int columns) {
  const int chunks = columns / PER_CHUNK, across = chunks % 8 == 0 ? 8 : 4, down = ITEMS / across;
  const int first = w.item / across, chunk = w.item % across;
  const int remaining = width - chunk * PER_CHUNK;
  to += chunk_offset(first, chunk, chunks);
  from += first * rowStride + chunk * PER_CHUNK;
  UNROLL
  for (int m = 0; m < rows; m += down) {
    UNROLL
    for (int d = 0; d < chunks; d += across) {
      const int present = WHOLE ? PER_CHUNK : clamp(remaining - d * PER_CHUNK, 0, PER_CHUNK);
      if (rows % down == 0 || m + first < rows) {
        copy_chunk(w, to + (m * chunks + d) * CHUNK_BYTES, from + d * PER_CHUNK,
                   m + first < count ? ELEMENT_BYTES * present : 0);
      }
    }
    from += down * rowStride;
  }
}

#endif
