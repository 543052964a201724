/**
 * Attention on the CPU through the Vector API, or through plain Java loops if it is absent. A driver ({@code Prefill},
 * {@code Decode}, {@code Backward}) divides a call into tasks and tiles and calls the inner loops in {@code kernels}.
 *
 * <p>Stability: implementation; {@code VectorBackend} and {@code ScalarBackend} are the public types.
 */
@NullMarked
package dev.heed.backend.vector;

import org.jspecify.annotations.NullMarked;
