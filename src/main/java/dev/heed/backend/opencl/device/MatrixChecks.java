package dev.heed.backend.opencl.device;

import org.jspecify.annotations.Nullable;

/**
 * The self-checks of programs for matrix units: each method runs small problems on the device, compares the results with
 * a formula in double, and returns a description of the first wrong result, or null.
 */
public interface MatrixChecks {
    @Nullable
    String prefill(Engine engine, MatrixTiles tiles, MatrixForm form);

    @Nullable
    String decode(Engine engine, MatrixTiles tiles, MatrixForm form);

    @Nullable
    String backward(Engine engine, MatrixTiles queries, MatrixTiles keys, MatrixForm form);

    @Nullable
    String product(Engine engine, ProductForm form);
}
