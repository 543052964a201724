/**
 * Attention: problems, options, inputs, results and plans, and the interface of backends.
 *
 * <p>Stability: API ({@link dev.heed.AttentionBackend}, the plans and the problems: SPI).
 */
@NullMarked
package dev.heed;

import org.jspecify.annotations.NullMarked;
