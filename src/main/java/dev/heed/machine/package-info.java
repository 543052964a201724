/**
 * The processor and the Java runtime of this computer, and the reasons why the Vector API cannot be used.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.machine;

import org.jspecify.annotations.NullMarked;
