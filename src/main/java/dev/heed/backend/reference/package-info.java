/**
 * The reference backend: attention, softmax, linear layers and rotary embeddings in double arithmetic, directly from the
 * formulas. All other backends are compared with it.
 *
 * <p>Stability: implementation; {@code ReferenceBackend} is the only public type.
 */
@NullMarked
package dev.heed.backend.reference;

import org.jspecify.annotations.NullMarked;
