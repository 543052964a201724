/**
 * The OpenCL host layer: devices, contexts, queues, programs, buffers, transfers. It knows nothing of attention.
 *
 * <p>Stability: implementation.
 *
 * <p>May import: {@code machine}, {@code ffi}.
 */
@NullMarked
package dev.heed.opencl;

import org.jspecify.annotations.NullMarked;
