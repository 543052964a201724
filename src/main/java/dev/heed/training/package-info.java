/**
 * Training of layers: losses, optimisers, and a trainer with bit-identical results for the same seed, regardless of the
 * number of threads.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.training;

import org.jspecify.annotations.NullMarked;
