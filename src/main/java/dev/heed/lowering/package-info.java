/**
 * Score functions as rewritten rows: what turns cosine, general, location, additive and concat scores into ones that a
 * fused kernel has, and their gradients back.
 *
 * <p>Stability: implementation; the backends use it.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}.
 */
@NullMarked
package dev.heed.lowering;

import org.jspecify.annotations.NullMarked;
