/**
 * Attention with the layers around it: parameters as records of tensors, forward with every intermediate, backward.
 *
 * <p>Stability: API.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}, {@code softmax}, {@code random},
 * {@code mechanism}.
 */
@NullMarked
package dev.heed.layer;

import org.jspecify.annotations.NullMarked;
