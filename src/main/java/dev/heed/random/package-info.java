/**
 * Counter-based random numbers: the same choice for the same place, on every backend, forward and backward.
 *
 * <p>Stability: SPI, for those who write a backend or a mechanism that draws.
 */
@NullMarked
package dev.heed.random;

import org.jspecify.annotations.NullMarked;
