/**
 * Tensors over {@link java.lang.foreign.MemorySegment}: element type, shape and strides, and no arithmetic.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.tensor;

import org.jspecify.annotations.NullMarked;
