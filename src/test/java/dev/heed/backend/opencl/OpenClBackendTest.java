package dev.heed.backend.opencl;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import org.junit.jupiter.api.Tag;

/** Runs the backend contract on the default OpenCL device with the device's default kernels. */
@Tag("slow")
class OpenClBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new OpenClBackend();
    }
}
