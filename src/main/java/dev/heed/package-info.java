/**
 * The words of the domain: problems, options, results, and the one interface that computes them.
 *
 * <p>Stability: API ({@link dev.heed.AttentionBackend} and the plans: SPI).
 *
 * <p>May import: {@code tensor}, {@code mask}, {@code score}, {@code softmax}.
 */
@NullMarked
package dev.heed;

import org.jspecify.annotations.NullMarked;
