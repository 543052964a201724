package dev.heed.tuning;

/** The tables that are measured on a device and stored in the cache folder, each with its file name and column header. */
public enum MeasuredTable {
    /** Tile sizes of the OpenCL kernels, measured by {@code heed tune}. */
    OPENCL_TILES("opencl_tiles", "phase\twidth\t|\ttx\tty\trm\trn\tdepth"),
    /** The amount of work in megaflops above which a device is faster than the CPU, measured by {@code heed devices --probe}. */
    OPENCL_CROSSOVER("opencl_crossover", "kind\t|\tmegaflops"),
    /** Sizes of the vector backend's prefill, measured by {@code heed tune --backend vector}. */
    VECTOR_PREFILL("vector_prefill", "width\t|\tpanels"),
    /** Sizes of the vector backend's matrix products, measured by the same command. */
    VECTOR_GEMM("vector_gemm", "|\tdepth\trows\tfewestRows"),
    /** The blocks of the vector backend's matrix products, measured by the same command. */
    VECTOR_BLOCK("vector_block", "|\tvectors\ttall");

    final String file;
    final String columns;

    MeasuredTable(String file, String columns) {
        this.file = file;
        this.columns = columns;
    }
}
