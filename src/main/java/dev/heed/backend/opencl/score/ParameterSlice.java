package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * The slice of one parameter of a score function that a call reads.
 *
 * @param name the name of the parameter
 * @param whole the parameter that the slice is cut from
 * @param cut returns a view of the slice in the parameter, or in the parameter's gradient
 */
public record ParameterSlice(String name, Tensor whole, UnaryOperator<Tensor> cut) {

    /** {@return a slice of this slice} */
    ParameterSlice and(UnaryOperator<Tensor> more) {
        return new ParameterSlice(name, whole, tensor -> more.apply(cut.apply(tensor)));
    }

    public Tensor tensor() {
        return cut.apply(whole);
    }

    /** {@return the slice in its own type, or in the compute type if it is f64: kernels that compute in f32 cannot read f64} */
    public DeviceTensor upload(CallScope scope) {
        Tensor tensor = tensor();
        return tensor.type() == DType.F64 ? scope.upload(tensor, scope.real()) : scope.upload(tensor);
    }

    public DeviceTensor upload(CallScope scope, DType type) {
        return scope.upload(tensor(), type);
    }
}
