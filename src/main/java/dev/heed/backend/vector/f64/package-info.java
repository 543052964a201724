/**
 * Attention, softmax and linear layers in f64 on the CPU, with separate kernels. In attention, the scores of a panel of
 * queries for all keys are stored in one strip.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.vector.f64;

import org.jspecify.annotations.NullMarked;
