package dev.heed.backend.opencl;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import dev.heed.opencl.Device;
import dev.heed.opencl.OpenCl;

/** The contract with the kernels of a GPU, whatever the device is. */
class OpenClTilesTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new OpenClBackend(OpenCl.selected(), Engine.Family.TILES, TileSizes.DEFAULT, Device::open);
    }
}
