/**
 * The first tasks of a device: small problems whose results a formula in double gives, run before kernels compute for a caller.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.check;

import org.jspecify.annotations.NullMarked;
