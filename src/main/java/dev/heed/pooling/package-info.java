/**
 * Attention pooling: averages of values with weights from a kernel or from learned queries.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.pooling;

import org.jspecify.annotations.NullMarked;
