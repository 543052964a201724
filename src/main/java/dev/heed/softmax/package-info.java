/**
 * The state of a partly read row of attention, and how two of them become one.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.softmax;

import org.jspecify.annotations.NullMarked;
