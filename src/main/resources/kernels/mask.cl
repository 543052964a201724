// Classifies the tiles of a dense mask: 0 if all cells are masked, 1 if some are, 2 if all are attended. Attention kernels
// skip tiles of class 0 and do not read the mask in tiles of class 2.
#define MASK_TILE 64 // a tile has this many queries and this many keys

typedef struct {
  long offset, batchStride, headStride, queryStride, keyStride; // of the mask [batch][head][query][key]
  long batches, heads, queries, keys; // sizes; a broadcast axis has size 1
} DenseMask;

// One work-item per tile. `to` is contiguous, [batch][head][query tile][key tile].
kernel void mask_tiles(const DenseMask m, global const uchar* dense, global uchar* to) {
  const long down = (m.queries + MASK_TILE - 1) / MASK_TILE, across = (m.keys + MASK_TILE - 1) / MASK_TILE;
  const long n = get_global_id(0);
  const long k = n % across, q = n / across % down, h = n / across / down % m.heads, b = n / across / down / m.heads;
  if (b >= m.batches) {
    return;
  }
  bool none = true, all = true;
  for (long i = q * MASK_TILE; i < min(m.queries, (q + 1) * MASK_TILE); i++) {
    for (long j = k * MASK_TILE; j < min(m.keys, (k + 1) * MASK_TILE); j++) {
      const bool attended =
          dense[m.offset + b * m.batchStride + h * m.headStride + i * m.queryStride + j * m.keyStride] != 0;
      none = none && !attended;
      all = all && attended;
    }
  }
  to[n] = none ? 0 : all ? 2 : 1;
}
