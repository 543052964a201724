package dev.heed.backend.opencl.device;

import org.jspecify.annotations.Nullable;

/**
 * How an engine uses its device.
 *
 * @param family the kernels
 * @param emulation whether kernels for matrix units run as an emulation of their instructions
 * @param tiles the sizes of all tiles, or null for what suits the device
 * @param selfCheck whether programs must pass first tasks before they compute for a caller
 * @param guardZones whether every buffer lies between zones that no kernel may write
 * @param checks the first tasks of programs for matrix units
 */
public record EngineOptions(
        Engine.Family family,
        boolean emulation,
        @Nullable TileSizes tiles,
        boolean selfCheck,
        boolean guardZones,
        MatrixChecks checks) {}
