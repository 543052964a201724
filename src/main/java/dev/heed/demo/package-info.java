/**
 * Small trained examples: a translator of dates with attention.
 *
 * <p>Stability: implementation, not exported.
 *
 * <p>May import: root, {@code tensor}, {@code score}, {@code layer}, {@code training}, {@code storage}.
 */
@NullMarked
package dev.heed.demo;

import org.jspecify.annotations.NullMarked;
