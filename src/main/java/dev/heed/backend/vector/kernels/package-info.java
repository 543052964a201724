/**
 * The inner loops of the CPU backends in two versions, with the Vector API and in plain Java. {@code Kernels} lists
 * them; its constant is one version for the whole process. The loops work on arrays, not on tensors.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.vector.kernels;

import org.jspecify.annotations.NullMarked;
