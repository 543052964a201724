/**
 * Counter-based random numbers: the same choice for the same place, on every backend, forward and backward.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.random;

import org.jspecify.annotations.NullMarked;
