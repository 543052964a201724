/**
 * The state of a partly read row of attention, and how two of them become one.
 *
 * <p>Stability: API.
 *
 * <p>May import: {@code tensor}.
 */
@NullMarked
package dev.heed.softmax;

import org.jspecify.annotations.NullMarked;
