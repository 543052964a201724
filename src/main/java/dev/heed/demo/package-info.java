/**
 * A small trained example: a date translator with attention.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.demo;

import org.jspecify.annotations.NullMarked;
