/**
 * Calls into native libraries through the JDK's linker. Callers of OpenCL own its handles and check its error codes.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.ffi;

import org.jspecify.annotations.NullMarked;
