package dev.heed.backend.opencl;

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
record ParameterPart(String name, Tensor whole, UnaryOperator<Tensor> cut) {

    /** {@return a part of this part} */
    ParameterPart and(UnaryOperator<Tensor> more) {
        return new ParameterPart(name, whole, tensor -> more.apply(cut.apply(tensor)));
    }

    Tensor tensor() {
        return cut.apply(whole);
    }

    Placed upload(Work work) {
        return work.upload(tensor());
    }

    Placed upload(Work work, DType type) {
        return work.upload(tensor(), type);
    }
}
