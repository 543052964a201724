/**
 * Attention in f64 on the CPU: one strip of scores for all keys of a panel, with kernels of its own.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.vector.f64;

import org.jspecify.annotations.NullMarked;
