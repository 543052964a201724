/**
 * The system properties that Heed reads: one table of names, types, defaults and meanings.
 *
 * <p>Stability: implementation, not exported; the properties themselves are API.
 */
@NullMarked
package dev.heed.settings;

import org.jspecify.annotations.NullMarked;
