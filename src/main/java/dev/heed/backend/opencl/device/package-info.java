/**
 * An open device: its context, buffers, constants, compiled kernels and tile sizes, and call scopes, which launch kernels.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.device;

import org.jspecify.annotations.NullMarked;
