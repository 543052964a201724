/**
 * Kernels other than attention: matrix products, activations, and arithmetic on rows.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.product;

import org.jspecify.annotations.NullMarked;
