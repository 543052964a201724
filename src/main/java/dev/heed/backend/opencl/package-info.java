/**
 * The GPU backend: fused attention as OpenCL kernels, on any device with OpenCL 1.2.
 *
 * <p>Stability: {@code OpenClBackend} is API, the rest is implementation.
 */
@NullMarked
package dev.heed.backend.opencl;

import org.jspecify.annotations.NullMarked;
