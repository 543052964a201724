package dev.heed.opencl;

/**
 * How long one launch of a kernel ran on the device.
 *
 * @param kernel its name
 * @param nanos from its start to its end, by the device's clock
 */
public record KernelTime(String kernel, long nanos) {}
