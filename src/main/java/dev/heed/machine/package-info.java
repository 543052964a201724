/**
 * What this computer offers to attention, and what it would take to offer more.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.machine;

import org.jspecify.annotations.NullMarked;
