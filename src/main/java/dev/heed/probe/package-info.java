/**
 * Probes of an OpenCL device: experiments that find the limits, instructions and speeds that its driver does not report.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.probe;

import org.jspecify.annotations.NullMarked;
