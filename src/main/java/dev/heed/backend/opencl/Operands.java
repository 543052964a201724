package dev.heed.backend.opencl;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
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
record Operands(
        AttentionShape shape,
        DType type,
        Tensor query,
        Tensor key,
        Tensor value,
        AttentionOptions options,
        DeviceMask mask) {

    static Operands of(AttentionInputs inputs) {
        return of(inputs.problem().shape(), inputs.query(), inputs.key(), inputs.value(), inputs.options());
    }

    static Operands of(AttentionShape shape, Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        return new Operands(shape, query.type(), query, key, value, options, DeviceMask.of(options.mask(), shape));
    }

    /** Whether everything lies on the device, where it is not cut into parts. */
    boolean isResident() {
        return query.device() != null;
    }

    boolean wide() {
        return type == DType.F64;
    }

    /** {@return the call of a part, whose keys and values go to the device} */
    AttentionCall call(Work work, Part part, Placed queries) {
        return new AttentionCall(
                work, part, options, mask, queries, work.upload(part.ofKeys(key)), work.upload(part.ofKeys(value)));
    }
}
