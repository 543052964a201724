package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * What a call reads of one parameter of its score function.
 *
 * @param name the parameter's
 * @param whole all of it
 * @param cut takes the part of it, or of its gradient
 */
public record ParameterSlice(String name, Tensor whole, UnaryOperator<Tensor> cut) {

    /** {@return a part of this part} */
    ParameterSlice and(UnaryOperator<Tensor> more) {
        return new ParameterSlice(name, whole, tensor -> more.apply(cut.apply(tensor)));
    }

    public Tensor tensor() {
        return cut.apply(whole);
    }

    public DeviceTensor upload(CallScope scope) {
        return scope.upload(tensor());
    }

    public DeviceTensor upload(CallScope scope, DType type) {
        return scope.upload(tensor(), type);
    }
}
