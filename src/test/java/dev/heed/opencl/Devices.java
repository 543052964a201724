package dev.heed.opencl;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.stream.Stream;

/** The OpenCL devices of this machine, for tests. If there is none, the test is skipped with the reasons. */
public final class Devices {
    private Devices() {}

    public static List<Device> present() {
        Discovery discovery = OpenCl.discovery();
        assumeTrue(!discovery.devices().isEmpty(), () -> String.join("; ", discovery.reasons()));
        return discovery.devices();
    }

    public static Stream<Device> all() {
        return present().stream();
    }

    /** {@return the device that the automatic choice would select} */
    public static Device best() {
        return present().getFirst();
    }
}
