// How much of each tile of a dense mask takes part, so that attention passes over tiles without any and asks nothing of
// full ones.
#define MASK_TILE 64

typedef struct {
  long offset, batchStride, headStride, queryStride, keyStride; // where cell [b][h][i][j] of the mask lies; a shared axis has size 1
  long batches, heads, queries, keys;
} DenseMask;

// One work-item a tile: 0 nothing takes part, 1 some do, 2 all. `to` lies without gaps, [batch][head][query tile][key tile].
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
      const bool attended = dense[m.offset + b * m.batchStride + h * m.headStride + i * m.queryStride + j * m.keyStride] != 0;
      none = none && !attended;
      all = all && attended;
    }
  }
  to[n] = none ? 0 : all ? 2 : 1;
}
