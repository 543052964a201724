package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.DeviceTensor;

/**
 * The queries, keys or values of a call as its kernels read them. A score function that is lowered rewrites rows first: it
 * divides them by their length, multiplies them by a parameter, or replaces them with the columns of a parameter.
 */
public interface LoweredRows {
    /** {@return the rows that kernels read, {@code [batch, heads, rows, headDim]}} */
    DeviceTensor rows();

    /** {@return the gradient of the given rows, from the gradient of {@link #rows}; both in the computing type} */
    DeviceTensor back(DeviceTensor gradient);

    /** Adds the gradients of the parameters, computed from the gradient of {@link #rows}. */
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
