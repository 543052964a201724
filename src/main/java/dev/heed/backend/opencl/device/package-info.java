/**
 * A device in use: its contexts, buffers, constants, compiled kernels and sizes of tiles, and the calls that launch kernels on it.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.device;

import org.jspecify.annotations.NullMarked;
