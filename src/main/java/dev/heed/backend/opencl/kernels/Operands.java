package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Chunk;
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

    public boolean f64() {
        return type == DType.F64;
    }

    public Lowering lowering(Chunk chunk) {
        return new Lowering(options.score(), chunk);
    }

    /** {@return the queries of a part, on the device as kernels read them} */
    public LoweredRows queries(CallScope scope, Chunk chunk) {
        return lowering(chunk).queries(scope, scope.upload(chunk.ofQueries(query)));
    }

    public LoweredRows keys(CallScope scope, Chunk chunk) {
        return lowering(chunk).keys(scope, scope.upload(chunk.ofKeys(key)));
    }

    public LoweredRows values(CallScope scope, Chunk chunk) {
        return lowering(chunk).values(scope, scope.upload(chunk.ofKeys(value)));
    }

    /** {@return the gradient of the output of a part, as kernels read it} */
    public DeviceTensor outputGradient(CallScope scope, Chunk chunk, Tensor outputGradient) {
        return lowering(chunk).storedAs(scope, scope.upload(chunk.ofQueries(outputGradient)));
    }

    /** {@return how kernels read and write rows} */
    public DType storage() {
        return Lowering.storage(type, options.score().pattern());
    }

    /** {@return the call of the whole attention} */
    public AttentionCall whole(CallScope scope) {
        Chunk whole = Chunk.whole(shape());
        return call(scope, whole, queries(scope, whole));
    }

    /** {@return the call of a part, whose keys and values go to the device} */
    public AttentionCall call(CallScope scope, Chunk chunk, LoweredRows queries) {
        return new AttentionCall(scope, chunk, options, mask, queries, keys(scope, chunk), values(scope, chunk));
    }
}
