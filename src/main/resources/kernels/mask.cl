// Classifies the tiles of the spans and cells of a mask: 0 if all pairs of query and key are masked, 1 if some are, 2 if all are
// attended. Attention kernels skip tiles of class 0 and do not read the mask in tiles of class 2.
#include "score.h"

// One work-item per tile. `to` is contiguous, [batch][head][query tile][key tile]; batches, heads, queries and keys are the sizes
// of the mask, 1 if it is the same along an axis.
kernel void mask_tiles(const Call c, const long batches, const long heads, const long queries, const long keys,
                       global const uchar* mask, global uchar* to) {
  const long down = (queries + MASK_TILE - 1) / MASK_TILE, across = (keys + MASK_TILE - 1) / MASK_TILE;
  const long n = get_global_id(0);
  const long k = n % across, q = n / across % down, h = n / across / down % heads, b = n / across / down / heads;
  if (b >= batches) {
    return;
  }
  const int first = (int)(c.keyFrom + k * MASK_TILE), last = (int)(c.keyFrom + min(keys, (k + 1) * MASK_TILE));
  bool none = true, all = true;
  for (long row = q * MASK_TILE; row < min(queries, (q + 1) * MASK_TILE); row++) {
    const int i = (int)(c.queryFrom + row);
    const int2 attended = span(&c, mask, b, h, i);
    const int from = max(first, attended.x), end = min(last, attended.y);
    all = all && from == first && end == last;
    none = none && (c.hasCells || from >= end);
    for (int j = from; j < end && c.hasCells; j = (j / (int)c.cellKeys + 1) * (int)c.cellKeys) {
      const bool allowed = cell(&c, mask, b, h, i, j);
      none = none && !allowed;
      all = all && allowed;
    }
  }
  to[n] = none ? 0 : all ? 2 : 1;
}
