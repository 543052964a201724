/**
 * The self-checks of a device: small problems that it solves before it computes for a caller. The results are compared with a
 * formula in double.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.check;

import org.jspecify.annotations.NullMarked;
