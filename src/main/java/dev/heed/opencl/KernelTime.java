package dev.heed.opencl;

/**
 * The time that one launch of a kernel took on the device.
 *
 * @param kernel its name
 * @param nanos nanoseconds from its start to its end, by the device's clock
 */
public record KernelTime(String kernel, long nanos) {}
