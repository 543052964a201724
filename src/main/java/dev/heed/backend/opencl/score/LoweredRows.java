package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.DeviceTensor;

/**
 * The queries, keys or values of a call as its attention kernels read them. Some score functions first rewrite the caller's
 * rows: they divide each row by its Euclidean norm, multiply it by a parameter, or replace it with a column of a parameter.
 */
public interface LoweredRows {
    /** {@return the rows that kernels read, {@code [batch, heads, rows, headDim]} (values: valueHeadDim)} */
    DeviceTensor rows();

    /** {@return the gradient of the caller's rows, computed from the gradient of {@link #rows}; both in the compute type} */
    DeviceTensor back(DeviceTensor gradient);

    /** Computes the gradients of the parameters from the gradient of {@link #rows}, and adds them to {@code sums}. */
    void parameters(DeviceTensor gradient, ParameterGradients sums);

    /** {@return the given rows, which are not rewritten and have no parameters} */
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
