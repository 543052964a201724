package dev.heed.opencl;

import java.util.List;

/**
 * How much a device has of everything, as its driver reports it.
 *
 * @param globalBytes its memory; {@code heed.opencl.memory} can make it less
 * @param maxAllocationBytes the largest buffer
 * @param localBytes local memory of a work-group
 * @param localDedicated whether local memory is a memory of its own; on CPUs it is ordinary memory, and staging in it costs
 * @param constantBytes the largest constant buffer
 * @param maxWorkGroupSize work-items of a work-group, at most
 * @param maxWorkItemSizes the same in each dimension
 * @param computeUnits processors that run work-groups side by side
 * @param clockMHz the highest clock
 * @param preferredFloatWidth floats in the vector that suits it best
 * @param hostUnified whether it shares its memory with the host
 * @param baseAlignment alignment in bytes of sub-buffers
 * @param maxArgumentBytes arguments of a kernel, together
 * @param timerResolutionNanos the step of event times
 * @param fp64 whether kernels may use double
 * @param fp16 whether it reports half arithmetic; loads and stores of halves need no report
 * @param addressBits 32 or 64
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

    /** {@return the same device with less memory} */
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
