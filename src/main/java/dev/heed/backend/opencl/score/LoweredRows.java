package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.Placed;

/**
 * The queries, keys or values of a call as its kernels read them. A score function that is lowered rewrites rows first:
 * divides them by their length, multiplies them by a parameter, takes a parameter's columns for them.
 */
public interface LoweredRows {
    /** {@return what kernels read, {@code [batch, heads, rows, width]}} */
    Placed rows();

    /** {@return the gradient of the rows that were given, from that of {@link #rows}; both in the type of arithmetic} */
    Placed back(Placed gradient);

    /** Adds what the gradient of {@link #rows} says of the parameters. */
    void parameters(Placed gradient, ParameterSums sums);

    /** {@return rows that kernels read as they are} */
    static LoweredRows asGiven(Placed rows) {
        return new LoweredRows() {
            @Override
            public Placed rows() {
                return rows;
            }

            @Override
            public Placed back(Placed gradient) {
                return gradient;
            }

            @Override
            public void parameters(Placed gradient, ParameterSums sums) {}
        };
    }
}
