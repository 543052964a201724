package dev.heed.backend.opencl.device;

import org.jspecify.annotations.Nullable;

/**
 * The options of an {@link Engine}.
 *
 * @param family the family of kernels
 * @param emulation whether the instructions of matrix units are emulated even if the device supports them
 * @param tiles the sizes of all tiles of portable kernels, or null for the defaults; if not null, matrix units use small tiles
 * @param selfCheck whether programs must pass a self-check before they compute for a caller
 * @param guardZones whether each buffer of a call has guard zones, which no kernel may write to
 * @param checks the self-checks of programs for matrix units
 */
public record EngineOptions(
        Engine.Family family,
        boolean emulation,
        @Nullable TileSizes tiles,
        boolean selfCheck,
        boolean guardZones,
        MatrixChecks checks) {}
