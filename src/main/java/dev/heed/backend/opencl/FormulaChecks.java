package dev.heed.backend.opencl;

import org.jspecify.annotations.Nullable;

/** The checks of programs for matrix units by formulas written out in double. */
final class FormulaChecks implements MatrixChecks {
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
