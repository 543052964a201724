package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.score.LoweredRows;
import dev.heed.backend.opencl.score.Lowering;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/**
 * The inputs of an attention: the caller's tensors, or for multi-head attention in chunks the projections in host memory.
 *
 * @param shape the shape of the attention, before it is cut into chunks
 * @param type the type in which the device stores queries, keys and values: the type of the caller's query, or for partial
 *     results the type of the output
 * @param query {@code [batch, heads, queries, headDim]}
 * @param key {@code [batch, key/value heads, keys, headDim]}
 * @param value {@code [batch, key/value heads, keys, valueHeadDim]}
 * @param options the options of the call
 * @param mask the mask of the options, in the form that kernels read
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
        AttentionShape shape = inputs.problem().shape();
        DType type = inputs.problem().outputType();
        DeviceMask mask = DeviceMask.of(inputs.options().mask(), shape);
        return new Operands(shape, type, inputs.query(), inputs.key(), inputs.value(), inputs.options(), mask);
    }

    public static Operands of(AttentionShape shape, Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        return new Operands(shape, query.type(), query, key, value, options, DeviceMask.of(options.mask(), shape));
    }

    /** {@return whether the tensors are on the device; if so, the attention is not cut into chunks} */
    public boolean isResident() {
        return query.device() != null;
    }

    public boolean f64() {
        return type == DType.F64;
    }

    public Lowering lowering(Chunk chunk) {
        return new Lowering(options.score(), chunk);
    }

    /** {@return the queries of a chunk on the device, rewritten if the score function requires it} */
    public LoweredRows queries(CallScope scope, Chunk chunk) {
        return lowering(chunk).queries(scope, uploaded(scope, chunk.ofQueries(query)));
    }

    public LoweredRows keys(CallScope scope, Chunk chunk) {
        return lowering(chunk).keys(scope, uploaded(scope, chunk.ofKeys(key)));
    }

    public LoweredRows values(CallScope scope, Chunk chunk) {
        return lowering(chunk).values(scope, uploaded(scope, chunk.ofKeys(value)));
    }

    private DeviceTensor uploaded(CallScope scope, Tensor rows) {
        return rows.type() == type ? scope.upload(rows) : scope.upload(rows, type);
    }

    /** {@return the gradient of a chunk's output, on the device in the storage type that kernels read} */
    public DeviceTensor outputGradient(CallScope scope, Chunk chunk, Tensor outputGradient) {
        return lowering(chunk).storedAs(scope, scope.upload(chunk.ofQueries(outputGradient)));
    }

    /** {@return the storage type of the rows that kernels read and write} */
    public DType storage() {
        return Lowering.storage(type, options.score().pattern());
    }

    /** {@return the arguments of kernels for the attention as one chunk; uploads queries, keys and values} */
    public AttentionCall whole(CallScope scope) {
        Chunk whole = Chunk.whole(shape());
        return call(scope, whole, queries(scope, whole));
    }

    /** {@return the arguments of kernels for a chunk; uploads its keys and values} */
    public AttentionCall call(CallScope scope, Chunk chunk, LoweredRows queries) {
        return new AttentionCall(scope, chunk, options, mask, queries, keys(scope, chunk), values(scope, chunk));
    }
}
