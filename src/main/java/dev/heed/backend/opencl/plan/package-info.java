/**
 * The plans of the OpenCL backend: how much memory a call needs, and how it is cut into parts that fit the device.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.plan;

import org.jspecify.annotations.NullMarked;
