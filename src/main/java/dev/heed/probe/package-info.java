/**
 * What an OpenCL device can do beyond what its driver reports, found out by trying: limits, instructions, speeds.
 *
 * <p>Stability: implementation.
 */
@NullMarked
package dev.heed.probe;

import org.jspecify.annotations.NullMarked;
