/**
 * The reference backend: attention in double arithmetic, row by row, directly from the formulas. All other backends are
 * compared with it.
 *
 * <p>Stability: implementation; {@code ReferenceBackend} is the only public type.
 */
@NullMarked
package dev.heed.backend.reference;

import org.jspecify.annotations.NullMarked;
