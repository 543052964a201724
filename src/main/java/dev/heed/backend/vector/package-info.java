/**
 * Attention on the CPU through the Vector API, or plain loops where it is absent: queries in the lanes, keys and values
 * read where they lie.
 *
 * <p>Stability: implementation; {@code VectorBackend} and {@code ScalarBackend} are the public types.
 */
@NullMarked
package dev.heed.backend.vector;

import org.jspecify.annotations.NullMarked;
