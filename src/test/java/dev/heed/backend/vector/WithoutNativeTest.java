package dev.heed.backend.vector;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract in a JVM that was told to do without native kernels; {@link VectorBackendTest} has them where they are. */
@Tag("slow")
class WithoutNativeTest {
    @Test
    void theContractHolds() throws Exception {
        ScalarBackendTest.holds(VectorBackendTest.class, "--add-modules=jdk.incubator.vector", "-Dheed.native=false");
    }
}
