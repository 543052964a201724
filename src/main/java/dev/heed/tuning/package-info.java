/**
 * Numbers that suit a device, read from tables: sizes of tiles and the like, never written into code.
 *
 * <p>Stability: implementation.
 *
 * <p>May import: root, {@code tensor}, {@code machine}.
 */
@NullMarked
package dev.heed.tuning;

import org.jspecify.annotations.NullMarked;
