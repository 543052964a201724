/**
 * How a query meets a key.
 *
 * <p>Stability: API.
 *
 * <p>May import: {@code tensor}.
 */
@NullMarked
package dev.heed.score;

import org.jspecify.annotations.NullMarked;
