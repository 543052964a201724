/**
 * Tuning parameters of devices, such as tile sizes, read from tables instead of being written into code.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.tuning;

import org.jspecify.annotations.NullMarked;
