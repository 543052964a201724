/**
 * Attention pooling: values averaged with weights that a kernel or a learned query gives.
 *
 * <p>Stability: API.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}, {@code softmax}, {@code random}.
 */
@NullMarked
package dev.heed.pooling;

import org.jspecify.annotations.NullMarked;
