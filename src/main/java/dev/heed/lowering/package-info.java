/**
 * Score functions computed by rewriting rows: cosine, general, location, additive and concat scores become scores that fused
 * kernels support, and gradients are carried back.
 *
 * <p>Stability: implementation, used by the backends.
 */
@NullMarked
package dev.heed.lowering;

import org.jspecify.annotations.NullMarked;
