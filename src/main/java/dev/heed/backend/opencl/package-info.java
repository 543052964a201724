/**
 * The GPU backend: fused attention as OpenCL kernels, on any device with OpenCL 1.2.
 *
 * <p>Stability: {@code OpenClBackend} is API, the rest implementation.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}, {@code softmax}, {@code random}, {@code machine},
 * {@code tuning}, {@code opencl}, {@code ffi}.
 */
@NullMarked
package dev.heed.backend.opencl;

import org.jspecify.annotations.NullMarked;
