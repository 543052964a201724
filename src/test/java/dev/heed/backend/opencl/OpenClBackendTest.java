package dev.heed.backend.opencl;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import org.junit.jupiter.api.Tag;

/** The contract on the best OpenCL device, with the kernels that suit it. */
@Tag("slow")
class OpenClBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new OpenClBackend();
    }
}
