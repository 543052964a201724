/**
 * Attention pooling: values averaged with weights that a kernel or a learned query gives.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.pooling;

import org.jspecify.annotations.NullMarked;
