/**
 * Score functions as rewritten rows: what turns cosine, general, location, additive and concat scores into ones that a
 * fused kernel has, and their gradients back.
 *
 * <p>Stability: implementation; the backends use it.
 */
@NullMarked
package dev.heed.lowering;

import org.jspecify.annotations.NullMarked;
