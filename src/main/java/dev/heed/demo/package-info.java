/**
 * Small trained examples: a translator of dates with attention.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.demo;

import org.jspecify.annotations.NullMarked;
