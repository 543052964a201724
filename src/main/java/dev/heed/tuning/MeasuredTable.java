package dev.heed.tuning;

/** The tables that are measured on a device and kept in the cache folder, each with its file's name and line of columns. */
public enum MeasuredTable {
    /** Sizes of the tiles of the OpenCL kernels: {@code heed tune}. */
    OPENCL_TILES("opencl_tiles", "phase\twidth\t|\ttx\tty\trm\trn\tdepth"),
    /** The work from which a device is faster than the CPU: {@code heed devices --probe}. */
    OPENCL_CROSSOVER("opencl_crossover", "kind\t|\tmegaflops");

    final String file;
    final String columns;

    MeasuredTable(String file, String columns) {
        this.file = file;
        this.columns = columns;
    }
}
