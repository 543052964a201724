/**
 * The hardware and runtime that attention can use on this computer, and the reasons if something is missing.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.machine;

import org.jspecify.annotations.NullMarked;
