package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Part;
import dev.heed.backend.opencl.score.LoweredRows;
import dev.heed.backend.opencl.score.Lowering;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/**
 * What an attention reads: the caller's tensors, or what projections left on the host for it.
 *
 * @param shape the whole
 * @param type how elements are stored
 * @param query {@code [batch, heads, queries, width]}
 * @param key {@code [batch, key heads, keys, width]}
 * @param value {@code [batch, key heads, keys, value width]}
 * @param options of the call
 * @param mask the mask of the options, as kernels read it
 */
public record Operands(
        AttentionShape shape,
        DType type,
        Tensor query,
        Tensor key,
        Tensor value,
        AttentionOptions options,
        DeviceMask mask) {

    public static Operands of(AttentionInputs inputs) {
        return of(inputs.problem().shape(), inputs.query(), inputs.key(), inputs.value(), inputs.options());
    }

    public static Operands of(AttentionShape shape, Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        return new Operands(shape, query.type(), query, key, value, options, DeviceMask.of(options.mask(), shape));
    }

    /** Whether everything lies on the device, where it is not cut into parts. */
    public boolean isResident() {
        return query.device() != null;
    }

    public boolean wide() {
        return type == DType.F64;
    }

    public Lowering lowering(Part part) {
        return new Lowering(options.score(), part);
    }

    /** {@return the queries of a part, on the device as kernels read them} */
    public LoweredRows queries(CallScope scope, Part part) {
        return lowering(part).queries(scope, scope.upload(part.ofQueries(query)));
    }

    public LoweredRows keys(CallScope scope, Part part) {
        return lowering(part).keys(scope, scope.upload(part.ofKeys(key)));
    }

    public LoweredRows values(CallScope scope, Part part) {
        return lowering(part).values(scope, scope.upload(part.ofKeys(value)));
    }

    /** {@return the gradient of the output of a part, as kernels read it} */
    public DeviceTensor flows(CallScope scope, Part part, Tensor outputGradient) {
        return lowering(part).storedAs(scope, scope.upload(part.ofQueries(outputGradient)));
    }

    /** {@return how kernels read and write rows} */
    public DType storage() {
        return Lowering.storage(type, options.score().pattern());
    }

    /** {@return the call of the whole attention} */
    public AttentionCall whole(CallScope scope) {
        Part whole = Part.whole(shape());
        return call(scope, whole, queries(scope, whole));
    }

    /** {@return the call of a part, whose keys and values go to the device} */
    public AttentionCall call(CallScope scope, Part part, LoweredRows queries) {
        return new AttentionCall(scope, part, options, mask, queries, keys(scope, part), values(scope, part));
    }
}
