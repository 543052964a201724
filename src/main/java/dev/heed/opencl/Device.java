package dev.heed.opencl;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.ClText;
import dev.heed.opencl.calls.DirectCalls;
import dev.heed.opencl.calls.JoclCalls;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import dev.heed.settings.Settings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** An OpenCL device, as its driver describes it. */
public final class Device {
    /**
     * Orders devices by type, GPUs first; then devices with dedicated memory before devices that share the host's memory; then
     * by decreasing memory, by decreasing number of compute units, and by name.
     */
    static final Comparator<Device> BEST_FIRST = Comparator.comparing(Device::type)
            .thenComparing(device -> device.limits().hostUnified())
            .thenComparing(device -> -device.limits().globalBytes())
            .thenComparing(device -> -device.limits().computeUnits())
            .thenComparing(Device::name);

    private static final int NO_INDEX = -1;

    final OpenClCalls calls;
    final long platformHandle;
    final long handle;
    private final int index;
    private final String platform;
    private final String platformVersion;
    private final String name;
    private final String vendor;
    private final String driver;
    private final String version;
    private final String languageVersion;
    private final DeviceType type;
    private final Set<String> extensions;
    private final DeviceLimits limits;

    Device(OpenClCalls calls, long platformHandle, long handle) {
        this.calls = calls;
        this.platformHandle = platformHandle;
        this.handle = handle;
        this.index = NO_INDEX;
        this.platform = calls.platformText(platformHandle, Cl.PLATFORM_NAME);
        this.platformVersion = calls.platformText(platformHandle, Cl.PLATFORM_VERSION);
        this.name = text(Cl.DEVICE_NAME);
        this.vendor = text(Cl.DEVICE_VENDOR);
        this.driver = text(Cl.DRIVER_VERSION);
        this.version = text(Cl.DEVICE_VERSION);
        this.languageVersion = text(Cl.DEVICE_OPENCL_C_VERSION);
        this.type = DeviceType.of(number(Cl.DEVICE_TYPE).orElse(0));
        this.extensions =
                new TreeSet<>(Arrays.asList(text(Cl.DEVICE_EXTENSIONS).strip().split("\\s+")));
        this.limits = readLimits();
    }

    private Device(Device other, int index, OpenClCalls calls) {
        this.calls = calls;
        this.platformHandle = other.platformHandle;
        this.handle = other.handle;
        this.index = index;
        this.platform = other.platform;
        this.platformVersion = other.platformVersion;
        this.name = other.name;
        this.vendor = other.vendor;
        this.driver = other.driver;
        this.version = other.version;
        this.languageVersion = other.languageVersion;
        this.type = other.type;
        this.extensions = other.extensions;
        this.limits = other.limits;
    }

    Device at(int place) {
        return new Device(this, place, calls);
    }

    /** {@return the same device with another implementation of the OpenCL calls} */
    Device through(OpenClCalls others) {
        return new Device(this, index, others);
    }

    /** {@return the same device with all calls made through JOCL, to measure the cost of JOCL} */
    public Device throughJocl() {
        return calls instanceof JoclCalls jocl ? through(jocl.plain()) : this;
    }

    /** {@return whether launches and transfers call the OpenCL library directly, not through JOCL} */
    public boolean isDirect() {
        return calls instanceof DirectCalls;
    }

    // ---------------------------------------------------------------- properties

    /** {@return its index in the list of devices, a value that {@code heed.opencl.device} accepts} */
    public int index() {
        return index;
    }

    public String platform() {
        return platform;
    }

    public String platformVersion() {
        return platformVersion;
    }

    public String name() {
        return name;
    }

    public String vendor() {
        return vendor;
    }

    public String driver() {
        return driver;
    }

    /** {@return the version of OpenCL, as in "OpenCL 1.2 ..."} */
    public String version() {
        return version;
    }

    /** {@return the version of OpenCL C, as in "OpenCL C 1.2 ..."} */
    public String languageVersion() {
        return languageVersion;
    }

    /** {@return the texts that together identify this device with this driver} */
    public List<String> identity() {
        return List.of(name(), vendor(), driver(), version(), platform(), platformVersion());
    }

    public DeviceType type() {
        return type;
    }

    public Set<String> extensions() {
        return Set.copyOf(extensions);
    }

    /** {@return its limits} */
    public DeviceLimits limits() {
        return limits;
    }

    /** {@return whether its vendor is NVIDIA, whose compiler supports inline PTX} */
    public boolean isNvidia() {
        return vendor.toUpperCase(Locale.ROOT).contains("NVIDIA");
    }

    /**
     * {@return whether its driver has its own cache of compiled kernels on disk; if so, Heed does not store its programs} PoCL
     * has such a cache, with a compiled kernel for each launch size. If Heed requested a program's binary, PoCL would compile all
     * kernels of the program once more, in a version for any launch size.
     */
    boolean driverCachesKernels() {
        return platform.equals("Portable Computing Language") && !"0".equals(System.getenv("POCL_KERNEL_CACHE"));
    }

    /** {@return one line: name, type, platform, driver, compute units, memory, local memory} */
    public String describe() {
        return String.format(
                Locale.ROOT,
                "%s (%s, %s, driver %s), %d compute units, %.1f GiB, local memory %d KiB%s",
                name,
                type,
                platform,
                driver,
                limits.computeUnits(),
                limits.globalBytes() / (double) (1L << 30),
                limits.localBytes() >> 10,
                limits.localDedicated() ? "" : " (ordinary memory)");
    }

    @Override
    public String toString() {
        return describe();
    }

    // ---------------------------------------------------------------- queries

    /** {@return the reasons why Heed cannot use this device; empty if it can} */
    List<String> reasonsAgainst() {
        List<String> reasons = new ArrayList<>();
        if (number(Cl.DEVICE_AVAILABLE).orElse(1) == 0) {
            reasons.add(name + " of " + platform + " reports that it is not available");
        }
        if (number(Cl.DEVICE_COMPILER_AVAILABLE).orElse(1) == 0) {
            reasons.add(name + " of " + platform + " has no compiler: install the vendor's full driver package");
        }
        if (number(Cl.DEVICE_ENDIAN_LITTLE).orElse(1) == 0) {
            reasons.add(name + " of " + platform + " is big-endian");
        }
        return reasons;
    }

    /**
     * {@return the value of a {@code CL_DEVICE_...} query by its code} Empty if the driver does not support the query, or if the
     * value has neither 4 nor 8 bytes.
     */
    public OptionalLong number(int question) {
        try {
            ByteBuffer bytes =
                    ByteBuffer.wrap(calls.deviceInfo(handle, question)).order(ByteOrder.nativeOrder());
            return switch (bytes.capacity()) {
                case Long.BYTES -> OptionalLong.of(bytes.getLong(0));
                case Integer.BYTES -> OptionalLong.of(Integer.toUnsignedLong(bytes.getInt(0)));
                default -> OptionalLong.empty();
            };
        } catch (OpenClException e) {
            return OptionalLong.empty();
        }
    }

    private String text(int question) {
        return ClText.of(calls.deviceInfo(handle, question));
    }

    private long number(int question, long otherwise) {
        return number(question).orElse(otherwise);
    }

    private DeviceLimits readLimits() {
        ByteBuffer sizes = ByteBuffer.wrap(calls.deviceInfo(handle, Cl.DEVICE_MAX_WORK_ITEM_SIZES))
                .order(ByteOrder.nativeOrder());
        List<Long> itemSizes = new ArrayList<>();
        while (sizes.remaining() >= Long.BYTES) {
            itemSizes.add(sizes.getLong());
        }
        var read = new DeviceLimits(
                number(Cl.DEVICE_GLOBAL_MEM_SIZE, 0),
                number(Cl.DEVICE_MAX_MEM_ALLOC_SIZE, 0),
                number(Cl.DEVICE_LOCAL_MEM_SIZE, 0),
                number(Cl.DEVICE_LOCAL_MEM_TYPE, 0) == Cl.LOCAL_MEMORY_IS_DEDICATED,
                number(Cl.DEVICE_MAX_CONSTANT_BUFFER_SIZE, 0),
                number(Cl.DEVICE_MAX_WORK_GROUP_SIZE, 1),
                itemSizes,
                (int) number(Cl.DEVICE_MAX_COMPUTE_UNITS, 1),
                (int) number(Cl.DEVICE_MAX_CLOCK_FREQUENCY, 0),
                (int) number(Cl.DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, 1),
                number(Cl.DEVICE_HOST_UNIFIED_MEMORY, 0) != 0,
                Math.max(1, number(Cl.DEVICE_MEM_BASE_ADDR_ALIGN, Byte.SIZE * 128) / Byte.SIZE),
                number(Cl.DEVICE_MAX_PARAMETER_SIZE, 1024),
                number(Cl.DEVICE_PROFILING_TIMER_RESOLUTION, 0),
                number(Cl.DEVICE_DOUBLE_FP_CONFIG, 0) != 0,
                extensions.contains("cl_khr_fp16"),
                (int) number(Cl.DEVICE_ADDRESS_BITS, 64));
        long limit = Settings.OPENCL_MEMORY.or(Long.MAX_VALUE);
        return read.withMemory(limit);
    }

    // ---------------------------------------------------------------- contexts

    /** {@return a new context on this device, with the settings in the system properties; the caller must close it} */
    public DeviceContext open() {
        return new DeviceContext(this, ContextSettings.ofProperties(this));
    }

    /** {@return a new context whose buffers together use at most {@code memoryBytes} bytes} */
    public DeviceContext open(long memoryBytes) {
        ContextSettings settings = ContextSettings.ofProperties(this);
        return new DeviceContext(this, settings.withMemory(Math.min(memoryBytes, settings.memoryBytes())));
    }

    /** {@return a new context that waits by polling, or inside the driver if {@code polls} is false} */
    public DeviceContext open(boolean polls) {
        return new DeviceContext(this, ContextSettings.ofProperties(this).withPolling(polls));
    }
}
