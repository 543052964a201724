/**
 * Trainable layers for attention models: parameters in records of tensors, forward passes with intermediate results, and
 * gradients.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.layer;

import org.jspecify.annotations.NullMarked;
