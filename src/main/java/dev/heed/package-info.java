/**
 * The words of the domain: problems, options, results, and the one interface that computes them.
 *
 * <p>Stability: API ({@link dev.heed.AttentionBackend} and the plans: SPI).
 */
@NullMarked
package dev.heed;

import org.jspecify.annotations.NullMarked;
