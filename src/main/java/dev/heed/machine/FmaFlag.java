package dev.heed.machine;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/** The JVM's flag for instructions of fused multiply-add; the only user of the module jdk.management, which may be absent on the class path. */
final class FmaFlag {
    private FmaFlag() {}

    /** {@return whether the JVM says that it uses no such instruction} */
    static boolean isOff() {
        HotSpotDiagnosticMXBean flags = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        return flags != null && flags.getVMOption("UseFMA").getValue().equals("false");
    }
}
