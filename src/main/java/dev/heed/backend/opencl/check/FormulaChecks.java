package dev.heed.backend.opencl.check;

import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixChecks;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.ProductForm;
import org.jspecify.annotations.Nullable;

/** The self-checks of programs for matrix units: they compare the results of a program with formulas in double. */
public final class FormulaChecks implements MatrixChecks {
    @Override
    public @Nullable String prefill(Engine engine, MatrixTiles tiles, MatrixForm form) {
        return MatrixCheck.ofPrefill(engine, tiles, form);
    }

    @Override
    public @Nullable String decode(Engine engine, MatrixTiles tiles, MatrixForm form) {
        return MatrixCheck.ofDecode(engine, tiles, form);
    }

    @Override
    public @Nullable String backward(Engine engine, MatrixTiles queries, MatrixTiles keys, MatrixForm form) {
        return MatrixBackwardCheck.failure(engine, queries, keys, form);
    }

    @Override
    public @Nullable String product(Engine engine, ProductForm form) {
        return MatrixProductCheck.failure(engine, form);
    }
}
