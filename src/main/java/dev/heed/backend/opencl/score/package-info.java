/**
 * Score functions as rewritten rows of queries and keys on the device, and the gradients of their parameters.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.score;

import org.jspecify.annotations.NullMarked;
