/**
 * An open device: its contexts, buffers, constants, compiled kernels and tile sizes, and the calls that launch kernels on it.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.device;

import org.jspecify.annotations.NullMarked;
