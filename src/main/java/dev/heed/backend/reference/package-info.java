/**
 * Attention in double arithmetic, row by row, as the formulas are written: the truth that every other backend is judged by.
 *
 * <p>Stability: implementation; {@code ReferenceBackend} is the one public type.
 */
@NullMarked
package dev.heed.backend.reference;

import org.jspecify.annotations.NullMarked;
