package dev.heed.backend.vector;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The backend contract in a JVM with native kernels switched off; {@link VectorBackendTest} uses them if they are
 * available.
 */
@Tag("slow")
class WithoutNativeTest {
    @Test
    void theContractHolds() throws Exception {
        ScalarBackendTest.holds(VectorBackendTest.class, "--add-modules=jdk.incubator.vector", "-Dheed.native=false");
    }
}
