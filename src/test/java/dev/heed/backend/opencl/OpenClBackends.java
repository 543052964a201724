package dev.heed.backend.opencl;

import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.OpenCl;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A factory of backends for tests on the default OpenCL device, with given kernels, tile sizes and function that opens it. */
final class OpenClBackends {
    private OpenClBackends() {}

    /** {@return a backend; null for the device's default family or tile sizes} */
    static OpenClBackend with(
            Engine.@Nullable Family family, @Nullable TileSizes tiles, Function<Device, DeviceContext> opening) {
        OpenClOptions options = OpenClOptions.DEFAULT;
        if (family != null) {
            options = options.withKernels(OpenClOptions.Kernels.valueOf(family.name()));
        }
        if (tiles != null) {
            options = options.withTiles(tiles.tx(), tiles.ty(), tiles.rm(), tiles.rn(), tiles.depth());
        }
        return new OpenClBackend(options, OpenCl.selected(), opening);
    }
}
