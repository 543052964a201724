/**
 * The self-checks of a device: small problems, run before kernels compute for a caller and compared with a formula in double.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.check;

import org.jspecify.annotations.NullMarked;
