/**
 * The system properties that Heed reads: one table of names, accepted values, defaults and meanings.
 *
 * <p>Stability: implementation, not exported; the properties themselves are API.
 */
@NullMarked
package dev.heed.settings;

import org.jspecify.annotations.NullMarked;
