/**
 * Attention, softmax, linear layers and rotary embedding on the CPU, with the Vector API, or with plain Java loops if the
 * API cannot be used. A driver ({@code Prefill}, {@code Decode}, {@code Backward}) divides a call into tasks and tiles and
 * calls the inner loops in {@code kernels}.
 *
 * <p>Stability: implementation; {@code VectorBackend} and {@code ScalarBackend} are the public types.
 */
@NullMarked
package dev.heed.backend.vector;

import org.jspecify.annotations.NullMarked;
