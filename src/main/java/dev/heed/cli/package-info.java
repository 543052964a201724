/**
 * The command line, with a class for each command; {@code heed --help} lists the commands.
 *
 * <p>Stability: the commands, their options, exit codes and JSON fields are API; the classes are implementation.
 */
@NullMarked
package dev.heed.cli;

import org.jspecify.annotations.NullMarked;
