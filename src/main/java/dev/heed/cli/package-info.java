/**
 * The command line: {@code heed devices | run | verify | conformance | explain}.
 *
 * <p>Stability: the commands, their options, exit codes and JSON fields are API; the classes are implementation.
 */
@NullMarked
package dev.heed.cli;

import org.jspecify.annotations.NullMarked;
