/**
 * Attention with the layers around it: parameters as records of tensors, forward with every intermediate, backward.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.layer;

import org.jspecify.annotations.NullMarked;
