/**
 * Mechanisms that are made of whole attentions: hard, local and monotonic attention, regularisers, glimpses.
 *
 * <p>Stability: API.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}, {@code random}.
 */
@NullMarked
package dev.heed.mechanism;

import org.jspecify.annotations.NullMarked;
