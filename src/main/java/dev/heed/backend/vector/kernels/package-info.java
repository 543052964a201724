/**
 * The inner loops of the CPU backends, each twice: with the Vector API and as plain Java. {@code Loops} and {@code PairLoops}
 * choose between the two once for the process. Kernels work on arrays, not on tensors.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.vector.kernels;

import org.jspecify.annotations.NullMarked;
