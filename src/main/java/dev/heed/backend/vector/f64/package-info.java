/**
 * Attention in f64 on the CPU, with kernels of its own. A panel keeps the scores of all its keys in memory, as one strip.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.vector.f64;

import org.jspecify.annotations.NullMarked;
