/**
 * The functions of OpenCL that Heed calls, through JOCL or directly, and their errors.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.opencl.calls;

import org.jspecify.annotations.NullMarked;
