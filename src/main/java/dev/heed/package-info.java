/**
 * Attention: problems, options, inputs, results, and the backend interface that computes them.
 *
 * <p>Stability: API ({@link dev.heed.AttentionBackend}, the plans and the problems: SPI).
 */
@NullMarked
package dev.heed;

import org.jspecify.annotations.NullMarked;
