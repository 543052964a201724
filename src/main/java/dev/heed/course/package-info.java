/**
 * Markdown pages with executable Java: code blocks are run in order, and their output and the numbers in the text are
 * updated.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.course;

import org.jspecify.annotations.NullMarked;
