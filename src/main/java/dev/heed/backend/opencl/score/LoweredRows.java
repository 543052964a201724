package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.DeviceTensor;

/**
 * The queries, keys or values of a call as its kernels read them. A score function that is lowered rewrites rows first:
 * divides them by their length, multiplies them by a parameter, takes a parameter's columns for them.
 */
public interface LoweredRows {
    /** {@return what kernels read, {@code [batch, heads, rows, width]}} */
    DeviceTensor rows();

    /** {@return the gradient of the rows that were given, from that of {@link #rows}; both in the type of arithmetic} */
    DeviceTensor back(DeviceTensor gradient);

    /** Adds what the gradient of {@link #rows} says of the parameters. */
    void parameters(DeviceTensor gradient, ParameterGradients sums);

    /** {@return rows that kernels read as they are} */
    static LoweredRows asGiven(DeviceTensor rows) {
        return new LoweredRows() {
            @Override
            public DeviceTensor rows() {
                return rows;
            }

            @Override
            public DeviceTensor back(DeviceTensor gradient) {
                return gradient;
            }

            @Override
            public void parameters(DeviceTensor gradient, ParameterGradients sums) {}
        };
    }
}
