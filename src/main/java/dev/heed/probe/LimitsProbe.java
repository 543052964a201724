package dev.heed.probe;

import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.DeviceLimits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A probe of the limits that the driver reports, including limits that only NVIDIA's driver reports. */
final class LimitsProbe {
    private static final Map<String, Integer> NVIDIA = new LinkedHashMap<>();

    static {
        NVIDIA.put("computeCapabilityMajor", 0x4000);
        NVIDIA.put("computeCapabilityMinor", 0x4001);
        NVIDIA.put("registersPerBlock", 0x4002);
        NVIDIA.put("warpSize", 0x4003);
    }

    private LimitsProbe() {}

    static Finding limits(DeviceContext context) {
        Device device = context.device();
        DeviceLimits limits = device.limits();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("name", device.name());
        figures.put("type", device.type().toString());
        figures.put("vendor", device.vendor());
        figures.put("platform", device.platform() + ", " + device.platformVersion());
        figures.put("driver", device.driver());
        figures.put("version", device.version());
        figures.put("language", device.languageVersion());
        figures.put("globalBytes", limits.globalBytes());
        figures.put("maxAllocationBytes", limits.maxAllocationBytes());
        figures.put("localBytes", limits.localBytes());
        figures.put("localDedicated", String.valueOf(limits.localDedicated()));
        figures.put("constantBytes", limits.constantBytes());
        figures.put("maxWorkGroupSize", limits.maxWorkGroupSize());
        figures.put("computeUnits", limits.computeUnits());
        figures.put("clockMHz", limits.clockMHz());
        figures.put("preferredFloatWidth", limits.preferredFloatWidth());
        figures.put("hostUnified", String.valueOf(limits.hostUnified()));
        figures.put("baseAlignmentBytes", limits.baseAlignment());
        figures.put("maxArgumentBytes", limits.maxArgumentBytes());
        figures.put("timerResolutionNanos", limits.timerResolutionNanos());
        figures.put("fp64", String.valueOf(limits.fp64()));
        figures.put("fp16", String.valueOf(limits.fp16()));
        figures.put("addressBits", limits.addressBits());
        NVIDIA.forEach((name, question) -> {
            if (device.isNvidia()) {
                device.number(question).ifPresent(value -> figures.put(name, value));
            }
        });
        figures.put("directCalls", String.valueOf(device.isDirect()));
        figures.put(
                "extensions", List.copyOf(device.extensions().stream().sorted().toList()));
        return Finding.ok(device.describe(), figures);
    }
}
