package dev.heed.opencl;

/**
 * The use of a context's device memory. A buffer is in use until it and its ranges are closed. Sizes are the allocated sizes,
 * which may be larger than the requested ones. They do not include buffers on host memory.
 *
 * @param liveBytes bytes of buffers in use
 * @param pooledBytes bytes of released buffers that wait for reuse
 * @param peakBytes the maximum so far of the sum of {@code liveBytes} and {@code pooledBytes}
 * @param liveBuffers number of buffers in use, including buffers on host memory
 * @param limitBytes the limit of the sum of {@code liveBytes} and {@code pooledBytes}
 */
public record MemoryUse(long liveBytes, long pooledBytes, long peakBytes, int liveBuffers, long limitBytes) {}
