package dev.heed.opencl;

import java.util.List;

/**
 * The limits of a device, as its driver reports them. {@code heed.opencl.memory} can lower the first two.
 *
 * @param globalBytes bytes of device memory
 * @param maxAllocationBytes bytes of the largest buffer
 * @param localBytes bytes of local memory per work-group
 * @param localDedicated whether local memory is dedicated; on CPUs it is ordinary memory, so copies into it only cost time
 * @param constantBytes bytes of the largest constant buffer
 * @param maxWorkGroupSize maximum work-items per work-group
 * @param maxWorkItemSizes maximum work-items per work-group in each dimension
 * @param computeUnits processors that run work-groups in parallel
 * @param clockMHz the maximum clock frequency in MHz
 * @param preferredFloatWidth preferred number of floats per vector
 * @param hostUnified whether the device shares its memory with the host
 * @param baseAlignment alignment of sub-buffers in bytes
 * @param maxArgumentBytes maximum bytes of all arguments of a kernel
 * @param timerResolutionNanos the resolution of event times in nanoseconds
 * @param fp64 whether kernels may use double
 * @param fp16 whether kernels may compute with half; loads and stores of halves are always supported
 * @param addressBits bits of a device address: 32 or 64
 */
public record DeviceLimits(
        long globalBytes,
        long maxAllocationBytes,
        long localBytes,
        boolean localDedicated,
        long constantBytes,
        long maxWorkGroupSize,
        List<Long> maxWorkItemSizes,
        int computeUnits,
        int clockMHz,
        int preferredFloatWidth,
        boolean hostUnified,
        long baseAlignment,
        long maxArgumentBytes,
        long timerResolutionNanos,
        boolean fp64,
        boolean fp16,
        int addressBits) {

    public DeviceLimits {
        maxWorkItemSizes = List.copyOf(maxWorkItemSizes);
    }

    /** {@return these limits with at most {@code bytes} bytes of device memory, and per buffer} */
    DeviceLimits withMemory(long bytes) {
        return new DeviceLimits(
                Math.min(globalBytes, bytes),
                Math.min(maxAllocationBytes, bytes),
                localBytes,
                localDedicated,
                constantBytes,
                maxWorkGroupSize,
                maxWorkItemSizes,
                computeUnits,
                clockMHz,
                preferredFloatWidth,
                hostUnified,
                baseAlignment,
                maxArgumentBytes,
                timerResolutionNanos,
                fp64,
                fp16,
                addressBits);
    }
}
