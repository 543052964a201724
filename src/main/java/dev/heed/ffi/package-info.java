/**
 * Calls into native libraries through the JDK's linker, and nothing else: no meaning, no ownership, no error handling.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.ffi;

import org.jspecify.annotations.NullMarked;
