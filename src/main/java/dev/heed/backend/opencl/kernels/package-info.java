/**
 * The forward and backward passes of an attention, or a chunk of one, that fits the device: portable kernels, and kernels for
 * matrix units.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.kernels;

import org.jspecify.annotations.NullMarked;
