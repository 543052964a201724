/**
 * The OpenCL host layer: devices, contexts, queues, programs, buffers, transfers. It knows nothing of attention.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.opencl;

import org.jspecify.annotations.NullMarked;
