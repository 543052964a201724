/**
 * Which keys a query may see: masks, the alignment of causal ones, and how much of a tile they cover.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.mask;

import org.jspecify.annotations.NullMarked;
