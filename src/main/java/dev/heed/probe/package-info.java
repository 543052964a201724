/**
 * Probes of an OpenCL device, which find out by trying what its driver does not report: limits, instructions, speeds.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.probe;

import org.jspecify.annotations.NullMarked;
