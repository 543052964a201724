/**
 * Score functions computed by rewriting rows: queries and keys of cosine, general, location, additive and concat scores are
 * rewritten for a score that fused kernels support, and the gradients of the original rows are computed from the gradients
 * of the rewritten rows.
 *
 * <p>Stability: implementation, used by the backends.
 */
@NullMarked
package dev.heed.lowering;

import org.jspecify.annotations.NullMarked;
