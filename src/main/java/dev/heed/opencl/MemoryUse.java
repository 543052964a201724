package dev.heed.opencl;

/**
 * The device memory of a context.
 *
 * @param liveBytes in buffers that are in use
 * @param pooledBytes in buffers that wait to be used again
 * @param peakBytes the most that both ever were
 * @param liveBuffers how many buffers are in use
 * @param limitBytes the most that both may be
 */
public record MemoryUse(long liveBytes, long pooledBytes, long peakBytes, int liveBuffers, long limitBytes) {}
