/**
 * The plans of the OpenCL backend: they compute the memory that a call needs, and cut the call into chunks that fit the device.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.plan;

import org.jspecify.annotations.NullMarked;
