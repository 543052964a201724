/**
 * The OpenCL host layer: devices, contexts, queues, programs, buffers, transfers. It does not depend on attention.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.opencl;

import org.jspecify.annotations.NullMarked;
