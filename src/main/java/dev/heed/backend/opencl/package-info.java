/**
 * The OpenCL backend: fused attention as OpenCL kernels, on any GPU or other device with OpenCL 1.2 or later.
 *
 * <p>Stability: {@code OpenClBackend} and {@code OpenClOptions} are API; the other classes are implementation.
 */
@NullMarked
package dev.heed.backend.opencl;

import org.jspecify.annotations.NullMarked;
