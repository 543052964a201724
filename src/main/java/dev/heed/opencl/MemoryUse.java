package dev.heed.opencl;

/**
 * The use of a context's device memory.
 *
 * @param liveBytes bytes of buffers in use
 * @param pooledBytes bytes of released buffers that wait for reuse
 * @param peakBytes the maximum so far of the sum of {@code liveBytes} and {@code pooledBytes}
 * @param liveBuffers number of buffers in use
 * @param limitBytes the limit of the sum of {@code liveBytes} and {@code pooledBytes}
 */
public record MemoryUse(long liveBytes, long pooledBytes, long peakBytes, int liveBuffers, long limitBytes) {}
