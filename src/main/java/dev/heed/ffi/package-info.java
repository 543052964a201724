/**
 * Calls into native libraries through the JDK's linker. Callers own the handles and check the error codes.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.ffi;

import org.jspecify.annotations.NullMarked;
