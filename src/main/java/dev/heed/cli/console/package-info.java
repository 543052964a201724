/**
 * Classes that all commands share: options, output, JSON, tables, progress, errors and exit codes.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.cli.console;

import org.jspecify.annotations.NullMarked;
