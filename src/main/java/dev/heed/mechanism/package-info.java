/**
 * Mechanisms that are made of whole attentions: hard, local and monotonic attention, regularisers, glimpses.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.mechanism;

import org.jspecify.annotations.NullMarked;
