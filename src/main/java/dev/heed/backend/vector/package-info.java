/**
 * Attention on the CPU through the Vector API, or through plain loops if it is absent. Each lane holds one query; keys and
 * values are read in place.
 *
 * <p>Stability: implementation; {@code VectorBackend} and {@code ScalarBackend} are the public types.
 */
@NullMarked
package dev.heed.backend.vector;

import org.jspecify.annotations.NullMarked;
