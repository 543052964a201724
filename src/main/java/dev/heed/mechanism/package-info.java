/**
 * Attention mechanisms composed of complete attention calls (hard, local and monotonic attention, regularisers), and a
 * glimpse sensor.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.mechanism;

import org.jspecify.annotations.NullMarked;
