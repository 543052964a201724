/**
 * The OpenCL host layer: devices, contexts, queues, programs, buffers, transfers. It contains nothing about attention.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.opencl;

import org.jspecify.annotations.NullMarked;
