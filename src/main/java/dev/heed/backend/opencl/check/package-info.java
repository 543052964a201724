/**
 * The self-checks of a device: small problems that the device solves before it computes for a caller. Their results are compared
 * with a formula in double.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.opencl.check;

import org.jspecify.annotations.NullMarked;
