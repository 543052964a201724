/**
 * The forward and backward passes of an attention, or of a chunk of it, that fits the device: portable kernels, and kernels for
 * matrix units.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.kernels;

import org.jspecify.annotations.NullMarked;
