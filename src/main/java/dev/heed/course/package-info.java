/**
 * Markdown pages whose Java runs: code blocks are executed in order, their output and the numbers in the text are written
 * back.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.course;

import org.jspecify.annotations.NullMarked;
