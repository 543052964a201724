/**
 * Numbers that suit a device, read from tables: sizes of tiles and the like, never written into code.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.tuning;

import org.jspecify.annotations.NullMarked;
