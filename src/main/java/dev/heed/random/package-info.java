/**
 * Counter-based random numbers: every backend draws the same number for the same cell, forward and backward.
 *
 * <p>Stability: SPI, for authors of backends or of mechanisms that draw random numbers.
 */
@NullMarked
package dev.heed.random;

import org.jspecify.annotations.NullMarked;
