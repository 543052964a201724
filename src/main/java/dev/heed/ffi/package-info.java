/**
 * Calls into native libraries through the JDK's linker. Ownership of handles and error handling belong to the callers.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.ffi;

import org.jspecify.annotations.NullMarked;
