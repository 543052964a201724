/**
 * {@code heed bench}: times the OpenCL kernels of one device and compares them with other reports.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.cli.bench;

import org.jspecify.annotations.NullMarked;
