/**
 * Masks, which select the keys that each query attends to, with the alignment of causal masks and the classification of tiles.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.mask;

import org.jspecify.annotations.NullMarked;
