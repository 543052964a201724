/**
 * Score functions computed by rewriting rows: queries and keys of cosine, general, location, additive and concat scores are
 * rewritten for a score that fused kernels support, and gradients are computed through the rewriting.
 *
 * <p>Stability: implementation, used by the backends.
 */
@NullMarked
package dev.heed.lowering;

import org.jspecify.annotations.NullMarked;
