package dev.heed.backend.opencl;

import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.settings.Settings;
import dev.heed.tensor.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The options of an {@link OpenClBackend}: its device, kernels, tiles, checks, OpenCL calls and memory. For an option that
 * is not set, the system property {@code heed.opencl.*} applies, or else the default of the device. Immutable; compared by value.
 */
public final class OpenClOptions {
    /** No option is set: the system properties apply, or else the defaults. */
    public static final OpenClOptions DEFAULT = new OpenClOptions(null, null, null, null, null, null, null);

    /** The families of attention kernels. */
    public enum Kernels {
        /** For CPU devices: kernels that compute with vectors and do not stage tiles in local memory. */
        LANES,
        /** For GPUs: kernels whose work-groups stage tiles in local memory. */
        TILES,
        /**
         * Like {@link #TILES}, but an emulation of matrix units computes the cases that matrix units support: for tests on any
         * device. The default of a GPU with matrix units uses their instructions.
         */
        MMA
    }

    private final @Nullable String device;
    private final @Nullable Kernels kernels;
    private final @Nullable List<Integer> tiles;
    private final @Nullable Boolean selfCheck;
    private final @Nullable Boolean guardZones;
    private final @Nullable Boolean directCalls;
    private final @Nullable Long memory;

    private OpenClOptions(
            @Nullable String device,
            @Nullable Kernels kernels,
            @Nullable List<Integer> tiles,
            @Nullable Boolean selfCheck,
            @Nullable Boolean guardZones,
            @Nullable Boolean directCalls,
            @Nullable Long memory) {
        this.device = device;
        this.kernels = kernels;
        this.tiles = tiles;
        this.selfCheck = selfCheck;
        this.guardZones = guardZones;
        this.directCalls = directCalls;
        this.memory = memory;
    }

    /**
     * {@return these options with a device}
     *
     * @param numberOrName the number of the device in {@code heed devices}, or a substring of its name
     */
    public OpenClOptions withDevice(String numberOrName) {
        Objects.requireNonNull(numberOrName, "numberOrName");
        return new OpenClOptions(numberOrName, kernels, tiles, selfCheck, guardZones, directCalls, memory);
    }

    /** {@return these options with a family of kernels instead of the device's default} */
    public OpenClOptions withKernels(Kernels family) {
        Objects.requireNonNull(family, "family");
        return new OpenClOptions(device, family, tiles, selfCheck, guardZones, directCalls, memory);
    }

    /**
     * {@return these options with tiles of one size in all kernels of the family {@link Kernels#TILES}}
     *
     * @param across work-items of a work-group across the columns
     * @param down work-items of a work-group down the rows
     * @param rows rows per work-item
     * @param columns columns per work-item
     * @param depth elements of a row that are staged at a time; must divide {@code across * columns}
     * @throws InvalidInputException if a size is not from 1 to 1024, {@code across * down} is more than 1024, which no device
     *     runs in one work-group, or {@code depth} does not divide {@code across * columns}
     */
    public OpenClOptions withTiles(int across, int down, int rows, int columns, int depth) {
        List<Integer> sizes = List.of(across, down, rows, columns, depth);
        TileSizes.require(sizes, "withTiles(16, 16, 4, 4, 16)");
        return new OpenClOptions(device, kernels, sizes, selfCheck, guardZones, directCalls, memory);
    }

    /** {@return these options with or without the self-checks, which compare results of small problems with a formula} */
    public OpenClOptions withSelfCheck(boolean wanted) {
        return new OpenClOptions(device, kernels, tiles, wanted, guardZones, directCalls, memory);
    }

    /**
     * {@return these options with or without guard zones} A guard zone is memory before or after a buffer that no kernel may
     * write to; each call checks its zones when it ends. Guard zones are off by default; with them, calls take several times as
     * long.
     */
    public OpenClOptions withGuardZones(boolean wanted) {
        return new OpenClOptions(device, kernels, tiles, selfCheck, wanted, directCalls, memory);
    }

    /**
     * {@return these options with launches and transfers called directly in the OpenCL library, or with all calls through JOCL}
     *
     * @param wanted whether to make direct calls; if the JVM denies native access to Heed, all calls are made through JOCL
     */
    public OpenClOptions withDirectCalls(boolean wanted) {
        return new OpenClOptions(device, kernels, tiles, selfCheck, guardZones, wanted, memory);
    }

    /**
     * {@return these options with a limit on device memory}
     *
     * @param bytes the maximum total size of all buffers; must be above 0
     * @throws InvalidInputException if {@code bytes} is not positive
     */
    public OpenClOptions withMemory(long bytes) {
        if (bytes < 1) {
            throw new InvalidInputException(
                    "The device memory is not positive",
                    "bytes, 1 or more",
                    String.valueOf(bytes),
                    "withMemory(1L << 30)");
        }
        return new OpenClOptions(device, kernels, tiles, selfCheck, guardZones, directCalls, bytes);
    }

    /** {@return the requested device: its number, or a substring of its name} */
    public Optional<String> device() {
        return Optional.ofNullable(device).or(Settings.OPENCL_DEVICE::value);
    }

    /** {@return the requested family of kernels} */
    public Optional<Kernels> kernels() {
        return Optional.ofNullable(kernels)
                .or(() -> Settings.OPENCL_KERNELS.value().map(name -> switch (name) {
                    case "lanes" -> Kernels.LANES;
                    case "tiles" -> Kernels.TILES;
                    default -> Kernels.MMA;
                }));
    }

    /** {@return the requested tile sizes, in the order of {@link #withTiles}} */
    public Optional<List<Integer>> tiles() {
        return Optional.ofNullable(tiles).or(Settings.OPENCL_TILES::value);
    }

    /** {@return whether the device must pass self-checks} */
    public boolean selfCheck() {
        return selfCheck == null ? Settings.OPENCL_SELFCHECK.or(true) : selfCheck;
    }

    /** {@return whether buffers have guard zones} */
    public boolean guardZones() {
        return guardZones == null ? Settings.OPENCL_CANARIES.or(false) : guardZones;
    }

    /** {@return whether launches and transfers bypass JOCL if the JVM allows it} */
    public boolean directCalls() {
        return directCalls == null ? Settings.OPENCL_DIRECT.or(true) : directCalls;
    }

    /** {@return the limit of {@link #withMemory} in bytes; empty if it is not set, even if the system property is} */
    public OptionalLong memory() {
        return memory == null ? OptionalLong.empty() : OptionalLong.of(memory);
    }

    private List<@Nullable Object> values() {
        return Arrays.asList(device, kernels, tiles, selfCheck, guardZones, directCalls, memory);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof OpenClOptions options && values().equals(options.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "OpenClOptions" + values();
    }
}
