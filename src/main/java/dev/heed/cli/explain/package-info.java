/**
 * {@code heed explain} and {@code heed view}: attention weights of a sentence or a file as lines, heat maps and pages.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.cli.explain;

import org.jspecify.annotations.NullMarked;
