/**
 * Score functions on the device: the rewriting of queries and keys into rows that kernels can score, and the gradients of the
 * parameters.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.score;

import org.jspecify.annotations.NullMarked;
