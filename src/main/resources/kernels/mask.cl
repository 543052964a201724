// How much of each tile of a dense mask takes part, so that attention passes over tiles without any and asks nothing of
// full ones.
#define TILE 64

typedef struct {
  long at, batch, head, query, key; // where cell [b][h][i][j] of the mask lies; a shared axis has size 1
  long batches, heads, queries, keys;
} Truths;

// One work-item a tile: 0 nothing takes part, 1 some do, 2 all. `to` lies without gaps, [batch][head][query tile][key tile].
kernel void mask_tiles(const Truths m, global const uchar* dense, global uchar* to) {
  const long down = (m.queries + TILE - 1) / TILE, across = (m.keys + TILE - 1) / TILE;
  const long n = get_global_id(0);
  const long k = n % across, q = n / across % down, h = n / across / down % m.heads, b = n / across / down / m.heads;
  if (b >= m.batches) {
    return;
  }
  bool none = true, all = true;
  for (long i = q * TILE; i < min(m.queries, (q + 1) * TILE); i++) {
    for (long j = k * TILE; j < min(m.keys, (k + 1) * TILE); j++) {
      const bool part = dense[m.at + b * m.batch + h * m.head + i * m.query + j * m.key] != 0;
      none = none && !part;
      all = all && part;
    }
  }
  to[n] = none ? 0 : all ? 2 : 1;
}
