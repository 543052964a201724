/**
 * Training of layers: losses, optimisers, and a trainer whose results are bit-identical for the same seed and shards,
 * regardless of the number of threads.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.training;

import org.jspecify.annotations.NullMarked;
