/**
 * Masks, which select the keys that a query attends to, the alignment of causal masks, and the classification of tiles.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.mask;

import org.jspecify.annotations.NullMarked;
