/**
 * How a query meets a key.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.score;

import org.jspecify.annotations.NullMarked;
